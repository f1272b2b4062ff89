"""What LLaVA's trainer, and other loaders of its format, do with a mix file."""
