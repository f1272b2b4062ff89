"""Picks out to files that trainers read."""
