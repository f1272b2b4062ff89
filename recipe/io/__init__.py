"""Atomic writes, the cache, and Arrow tables that stay on disk."""
