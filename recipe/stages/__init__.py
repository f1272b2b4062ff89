"""The ten stages that a sample goes through, one folder each, and the flow that calls them."""
