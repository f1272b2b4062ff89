"""Rules of LLaVA's trainer, and of other loaders of its format, for a mix file."""
