"""Quotas. Each file: counts -> integers whose sum is exactly the size."""
