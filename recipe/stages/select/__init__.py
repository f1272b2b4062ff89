"""Selectors. Each file: pool and quotas -> picks in pick order."""
