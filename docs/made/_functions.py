"""The functions of a room and their knobs, read from signatures and numpydoc sections."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from numpydoc.docscrape import NumpyDocString

from made._knob import Knob, kind, plain, range_of
from recipe.config.knobs import annotation_of
from recipe.config.registry import find, names
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GIVEN = {"groups"}  # by the room, never by a recipe
SAME = re.compile(r"As (?:for|of) `([\w.]+)`")


class Function(NamedTuple):
    """One file of a room."""

    name: str
    doc: NumpyDocString
    knobs: list[Knob]


def functions(room: str, shown: str) -> list[Function]:
    """Return what a room offers, by name.

    Parameters
    ----------
    room
        A folder of the stages.
    shown
        How a knob is called: a pattern of ``{room}``, ``{name}`` and ``{knob}``.
    """
    return [
        Function(name, _doc(function), list(_knobs(room, name, function, shown)))
        for name in names(room)
        if (function := _function(room, name))
    ]


def _function(room: str, name: str) -> Callable[..., Any] | None:
    """Return the function of a file; None for a file of a room whose door is the room itself."""
    try:
        return find(room, name)
    except ConfigError:
        return None


def _doc(function: Callable[..., Any]) -> NumpyDocString:
    """Parse a docstring."""
    return NumpyDocString(inspect.getdoc(function) or "")


def _knobs(room: str, name: str, function: Callable[..., Any], shown: str) -> Iterator[Knob]:
    """Yield the keyword arguments that a user may set."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in GIVEN:
            default = None if parameter.default is parameter.empty else plain(parameter.default)
            called = shown.format(room=room, name=name, knob=parameter.name)
            annotation = annotation_of(function, parameter)
            text = _text(room, name, parameter.name)
            yield Knob(called, kind(annotation), default, text, range_of(annotation))


def _text(room: str, name: str, knob: str) -> str:
    """Return what is said of a knob, where another function says it from there."""
    function = find(room, name)
    for entry in _doc(function)["Parameters"]:
        if knob in re.split(r",\s*", entry.name):
            text = "\n".join(entry.desc)
            other = SAME.search(text)
            target = other and _named(room, other[1], name)
            return _text(room, target, knob) if target else text
    return ""


def _named(room: str, dotted: str, name: str) -> str | None:
    """Return the file of the room that a dotted name of a docstring means."""
    return next((part for part in reversed(dotted.split(".")) if part in names(room) and part != name), None)
