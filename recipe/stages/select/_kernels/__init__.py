"""The compiled loops of the selectors."""
