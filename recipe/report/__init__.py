"""A mix in numbers."""
