"""A written mix against what trainers demand. Each file: path -> list of findings."""
