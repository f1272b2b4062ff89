"""Recipes: their sections and knobs, the shipped presets, and the registry of the functions that they name."""
