"""Find where each value of a JSON text begins and ends, and where it is damaged, if the fast decoder refuses it."""

from __future__ import annotations

import re
from json import JSONDecoder
from json.decoder import JSONDecodeError
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 200  # damaged lines of JSON Lines after which the rest is given up, since each costs a scan to count lines

_raw_decode = JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class Piece(NamedTuple):
    """The span of a value, or of damage and its reason."""

    start: int
    end: int
    damage: str | None = None
    at: int = 0  # where the damage was found
    name: str | None = None  # the key of a value in an object


def pieces(text: str) -> Iterator[Piece]:
    """Yield the records of a text, in any container, and the damaged sections.

    A single value is yielded whole. An array or an object is given up after its first damage. In JSON Lines only the
    damaged line is lost: the search goes on at the next line that begins with a brace.

    Parameters
    ----------
    text
        JSON, not blank; NaN, infinities and any depth are accepted.

    Yields
    ------
    Piece
        In the order of the text.
    """
    start = _skip(text, 0)
    if text[start] == "[":
        yield from _array(text, start)
    elif text[start] != "{" and "\n{" not in text:
        yield Piece(start, len(text), "neither an array nor an object", start)
    else:
        yield from (text[start] == "{" and _broken_object(text, start)) or _sequence(text, start)


def members(text: str, at: int) -> Iterator[Piece]:
    """Yield each member of an object with its name, and the damage at which the object ends early.

    Parameters
    ----------
    text
        JSON.
    at
        Position of the object's opening brace.

    Yields
    ------
    Piece
        In the order of the text; two members with the same name are both yielded.
    """
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        start, name = at, None
        try:
            name, at = _name(text, at)
            start = _skip(text, _after(text, at, ":"))
            end = _end(text, start)
            yield Piece(start, end, name=name)
            start = at = _skip(text, end)
            if text[at : at + 1] != "}":
                start = at = _skip(text, _after(text, at, ","))
        except JSONDecodeError as error:
            yield Piece(start, len(text), error.msg, error.pos, name)
            return


def depth_exceeds(text: str, limit: int) -> bool:
    """Return whether brackets are nested deeper than a limit.

    Examples
    --------
    >>> depth_exceeds('{"a": ["[[["]}', 1), depth_exceeds('{"a": ["[[["]}', 2)
    (True, False)
    """
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > limit:
            return True
    return False


def _array(text: str, start: int) -> Iterator[Piece]:
    """Yield the values of an array."""
    at, record = _skip(text, start + 1), 0
    while text[at : at + 1] != "]":
        try:
            end = _end(text, at)
        except JSONDecodeError as error:
            yield Piece(at, len(text), f"record {record}: {error.msg}", error.pos)
            return
        yield Piece(at, end)
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            comma, at = at, _skip(text, at + 1)
            if text[at : at + 1] == "]":
                yield Piece(comma, comma + 1, f"a comma after the last record, {record}", comma)
        elif text[at : at + 1] != "]":
            yield Piece(at, len(text), f"no comma or closing bracket after record {record}", at)
            return
        record += 1
    at = _skip(text, at + 1)
    if at < len(text) and text[_skip(text, 0)] == "[":
        yield Piece(at, len(text), "more text after the end of the array", at)


def _sequence(text: str, at: int) -> Iterator[Piece]:
    """Yield values that are separated by white space only."""
    record = damaged = 0
    while at < len(text):
        try:
            end = _end(text, at)
            yield Piece(at, end)
        except JSONDecodeError as error:
            damaged += 1
            line = text.find("\n{", at) if damaged < PATIENCE else -1
            end = len(text) if line < 0 else line
            yield Piece(at, end, f"record {record}: {error.msg}", error.pos)
        record += 1
        at = _skip(text, end)


def _broken_object(text: str, at: int) -> list[Piece]:
    """Return the records of a truncated object around an array, or keyed by id; nothing for any other object."""
    try:
        _end(text, at)
    except JSONDecodeError:
        *before, last = members(text, at)
    else:
        return []
    first = text[last.start : last.start + 1]
    arrays = [piece for piece in before if text[piece.start] == "["]
    if last.name != "conversations" and first == "[" and text[_skip(text, last.start + 1) :][:1] == "{":
        return list(_array(text, last.start))
    if before and all(text[piece.start] == "{" for piece in before):
        return [*before, last]
    if len(arrays) == 1 and arrays[0].name != "conversations" and text[_skip(text, arrays[0].start + 1)] == "{":
        return [*_array(text, arrays[0].start), last]
    return []


def _name(text: str, at: int) -> tuple[str, int]:
    """Decode the name of a member; anything else is not decoded, since it could be nested without end."""
    if text[at : at + 1] != '"':
        raise JSONDecodeError("no name where one is expected", text, at)
    name, at = _raw_decode(text, at)
    return str(name), at


def _after(text: str, at: int, mark: str) -> int:
    """Skip white space and a mark that must follow."""
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise JSONDecodeError(f"no {mark!r} where one is expected", text, at)
    return at + 1


def _skip(text: str, at: int) -> int:
    """Skip white space."""
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _end(text: str, at: int) -> int:
    """Return the end of the value that begins at a position."""
    try:
        return int(_raw_decode(text, at)[1])
    except (RecursionError, ValueError) as error:
        if isinstance(error, JSONDecodeError):
            raise
        return _balanced_end(text, at)  # too deep, or an integer of more digits than Python converts


def _balanced_end(text: str, at: int) -> int:
    """Find the closing bracket of a value that is nested too deep to decode, by counting."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
            if depth == 0:
                return token.end()
    raise JSONDecodeError("a bracket that is never closed", text, at)
