"""What a room offers: the first sentence of each file, with its entry in the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from made._functions import functions
from made._sections import knobs

if TYPE_CHECKING:
    from collections.abc import Iterator


def made(room: str = "") -> str:
    """Write a line for each file of a room; without one, a line for each stage with what it does by default."""
    return "\n".join(_room(room) if room else _stages())


def _room(room: str) -> Iterator[str]:
    """Write the choices of one room, in Markdown."""
    yield from ("| name | what it does |", "|---|---|")
    for function in functions(room, ""):
        said = " ".join(function.doc["Summary"]).replace("|", "\\|")
        yield f"| [`{function.name}`](#{room}-{function.name}) | {said} |"
    yield ""


def _stages() -> Iterator[str]:
    """Write each key of a recipe that names files of a room: its default, and what there is beside it."""
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 15 40 45", "")
    lines = [("Key", "Default", "Choices")]
    for knob in knobs():
        offers = [function.name for function in functions(knob.name.split(".")[0], "")]
        if "{name: {knob: value}}" in knob.kind and not knob.name.startswith("parts.") and offers:
            links = ", ".join(f":ref:`{name} <{knob.name.split('.')[0]}-{name}>`" for name in offers)
            lines.append((f"``{knob.name}``", f"``{knob.default}``", links))
    for cells in lines:
        yield from (f"   {'* -' if at == 0 else '  -'} {cell}" for at, cell in enumerate(cells))
    yield ""
