"""The shipped tolerances, as their file says them."""

from __future__ import annotations

from recipe.check.drift.tolerance_files import SHIPPED


def made() -> str:
    """Write the file."""
    return f"```yaml\n{SHIPPED.read_text('utf-8')}```\n"
