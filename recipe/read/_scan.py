"""Where each value of a JSON text begins and ends, for texts that the fast decoder refuses."""

from __future__ import annotations

import re
from json import JSONDecoder
from json.decoder import JSONDecodeError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_raw_decode = JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def values(text: str, array: int | None) -> Iterator[tuple[int, int]]:
    """Yield the span of each value of an array, or of a sequence of values that nothing but white space parts.

    Parameters
    ----------
    text
        JSON; NaN, infinities and any depth are let through.
    array
        Where the bracket of the array stands, or None for a sequence.

    Yields
    ------
    tuple of int
        Start and end.

    Raises
    ------
    JSONDecodeError
        At the place where the text stops being JSON.
    """
    at, stop = (_skip(text, 0), "") if array is None else (_skip(text, array + 1), "]")
    record = 0
    while text[at : at + 1] != stop:
        end = _end(text, at, f"record {record}: ")
        yield at, end
        at = _skip(text, end)
        if array is not None and text[at : at + 1] != stop:
            at = _after_comma(text, at, record)
        record += 1
    if array is not None and (at := _skip(text, at + 1)) != len(text):
        raise JSONDecodeError("more text after the end of the array", text, at)


def members(text: str, at: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the name of each member of a sound object, and the span of its value.

    Parameters
    ----------
    text
        JSON.
    at
        Where the object's brace stands.

    Yields
    ------
    tuple
        Name and span.
    """
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        end = _end(text, start)
        yield name, (start, end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _after_comma(text: str, at: int, record: int) -> int:
    """Step over the comma that must stand between two records of an array."""
    if text[at : at + 1] != ",":
        raise JSONDecodeError(f"no comma or closing bracket after record {record}", text, at)
    after = _skip(text, at + 1)
    if text[after : after + 1] == "]":
        raise JSONDecodeError(f"a comma after the last record, {record}", text, at)
    return after


def _skip(text: str, at: int) -> int:
    """Step over white space."""
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _end(text: str, at: int, where: str = "") -> int:
    """Return where the value that begins here ends."""
    try:
        return int(_raw_decode(text, at)[1])
    except JSONDecodeError as error:
        raise JSONDecodeError(f"{where}{error.msg}", text, error.pos) from None
    except (RecursionError, ValueError):  # too deep, or an integer of more digits than Python converts
        return _balanced_end(text, at)


def _balanced_end(text: str, at: int) -> int:
    """Find the bracket that closes a value nested too deep to decode, by counting."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
            if depth == 0:
                return token.end()
    raise JSONDecodeError("a bracket that is never closed", text, at)
