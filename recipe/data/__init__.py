"""What stages pass on: the pool, its vectors, quotas and picks, and helpers for them."""
