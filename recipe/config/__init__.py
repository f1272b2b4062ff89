"""What a recipe file says: its sections and knobs, the shipped recipes, and the registry that names stand in."""
