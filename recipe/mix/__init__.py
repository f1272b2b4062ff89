"""The conductor: sources and a recipe in, a mix out, and back from what was written."""
