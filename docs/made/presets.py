"""The shipped recipes, read from their files: a table, and each with what its file says of itself."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from recipe.config.files import PRESETS, presets

if TYPE_CHECKING:
    from collections.abc import Iterator


def made(what: str) -> str:
    """Write the table, or every preset in full."""
    return "\n".join(_table() if what == "table" else _all())


def _table() -> Iterator[str]:
    """Write a line a preset."""
    yield from ("| preset | what it does |", "|---|---|")
    yield from (f"| [`{name}`](#{name}) | {what} |" for name, what in presets().items())


def _all() -> Iterator[str]:
    """Write each preset: what it is, its sources and differences, and the file."""
    for name in presets():
        lines = (PRESETS / f"{name}.yaml").read_text("utf-8").splitlines()
        comment = takewhile(lambda line: line.startswith("#"), lines)
        said = [line.removeprefix("#").removeprefix(" ") for line in comment]
        yield from (f"({name})=", f"## {name}", "", *said, "", "```yaml", *lines[len(said) :], "```", "")
