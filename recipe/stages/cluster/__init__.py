"""Clusters. Each file: vectors -> (n,) int32."""
