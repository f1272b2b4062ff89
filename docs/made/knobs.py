"""The knobs of a stage: its section of a recipe file, then every file of its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from made._functions import Function, functions
from made._sections import knobs, open_rooms
from recipe.config.registry import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from made._knob import Knob


def made(room: str) -> str:
    """Write the reference of a stage; ``top`` is what belongs to no stage."""
    return "\n".join(_top() if room == "top" else _stage(room))


def entries(room: str) -> list[Knob]:
    """Return the knobs of a stage in the order of the page."""
    return [*_section(room), *(knob for function in _room(room) for knob in function.knobs)]


def _section(room: str) -> list[Knob]:
    """Return the knobs of a section of the recipe."""
    return [knob for knob in knobs() if knob.name.split(".")[0] == room]


def _room(room: str) -> list[Function]:
    """Return the functions of a room; a recipe's names of their knobs, or Python's."""
    return functions(room, "{room}.{name}.{knob}" if room in open_rooms() else "{name}({knob}=)")


def _top() -> Iterator[str]:
    """Write the knobs that belong to no stage."""
    for knob in knobs():
        if not names(knob.name.split(".")[0]):
            yield knob.rst()


def _stage(room: str) -> Iterator[str]:
    """Write the section, and the functions with their knobs."""
    section, rest = _section(room), _room(room)
    if section:
        yield from ("In a recipe file", "================", "", *(knob.rst() for knob in section))
    if rest and room not in open_rooms():
        yield from ("In Python", "=========", "")
        yield "What does the work. The recipe gives these functions what its section says; the rest of their knobs has"
        yield "no key, and is set by who calls them (``recipe.config.registry.find``).\n"
    for function in rest:
        mark = "-" if room not in open_rooms() else "="
        yield from (f".. _{room}-{function.name}:", "", function.name, mark * len(function.name), "")
        yield from (*function.doc["Summary"], "", *function.doc["Extended Summary"], "")
        yield from (knob.rst() for knob in function.knobs)
        if function.doc["References"]:
            yield from (":Source:", *(f"   {line}" for line in function.doc["References"]), "")
