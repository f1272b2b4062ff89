"""Vectors of every sample. Each file: pool -> (n, d) float32, unit rows."""
