"""Duplicates. Each file: pool -> (n,) row of the sample that is kept in its place."""
