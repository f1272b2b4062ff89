"""From sources and a recipe to a mix, and from a written mix back to it."""
