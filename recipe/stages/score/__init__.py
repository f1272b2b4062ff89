"""Scores of every sample. Each file: pool -> (n,) float32, higher = wanted."""
