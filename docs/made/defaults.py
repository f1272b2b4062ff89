"""The recipe that is used where nothing is said, as YAML."""

from __future__ import annotations

from textwrap import indent

from recipe import Recipe


def made() -> str:
    """Write every key with its default."""
    return f".. code-block:: yaml\n\n{indent(Recipe().to_yaml(), '   ')}\n"
