"""The places where code of one's own fits in: the first sentence of each protocol."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from made.api import public
from recipe.stages import protocols

if TYPE_CHECKING:
    from collections.abc import Iterator


def made() -> str:
    """Write a line a protocol, with its entry in the reference."""
    return "\n".join(_table())


def _table() -> Iterator[str]:
    """Write the lines."""
    yield from ("| protocol | what it does |", "|---|---|")
    for name in public(protocols):
        said = (inspect.getdoc(getattr(protocols, name)) or "").split("\n\n")[0]
        said = " ".join(said.split()).replace("``", "`")
        yield f"| [`{name}`](../reference/api.rst) | {said} |"
    yield ""
