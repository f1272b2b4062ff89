"""Facility location: blocks, terms, solver, refinement, certificate."""
