"""Files that are whole or not there at all, the cache, and Arrow tables that stay on disk."""
