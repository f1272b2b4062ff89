"""What travels between stages: the pool, its vectors, quotas, picks, and small tools for them."""
