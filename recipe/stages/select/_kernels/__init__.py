"""The compiled kernels of the selectors."""
