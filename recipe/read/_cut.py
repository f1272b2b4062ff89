"""A large file of JSON cut into pieces between its records, without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PIECE = 16_000_000  # bytes, about: a worker holds some ten times as much while it reads one
_BLOCK = 1 << 24


class Span(NamedTuple):
    """Bytes of a file that hold whole records: the inside of an array, or whole lines."""

    start: int
    end: int


def cut(path: Path, *, piece: int = PIECE) -> list[Span] | None:
    """Cut a file between records into pieces of about equal length; O(bytes) time, constant memory.

    Parameters
    ----------
    path
        A file of plain JSON.
    piece
        Bytes a piece, at least; a piece ends with the record that passes it.

    Returns
    -------
    list of Span or None
        What lies between the brackets of one array, or the lines of JSON Lines; None if the file is short, or looks
        like something else. Whether the pieces hold sound JSON is not looked at.
    """
    if path.stat().st_size <= piece:
        return None
    with path.open("rb") as file:
        head = file.read(64).lstrip()[:1]
    if head == b"[":
        return _cut_array(path, piece)
    return _cut_lines(path, piece) if head == b"{" else None


def _cut_array(path: Path, piece: int) -> list[Span] | None:
    """Cut at commas between the elements of the one array of a file."""
    state = np.zeros(5, np.int64)  # depth, inside a string, after a backslash, last cut, where the array ended
    buffer = bytearray(_BLOCK)
    view = np.frombuffer(buffer, np.uint8)
    cuts: list[NDArray[np.int64]] = []
    at = 0
    with path.open("rb") as file:
        while size := file.readinto(buffer):
            found = _commas(view[:size], at, piece, state)
            if found[-1:].tolist() == [-1]:
                return None
            cuts.append(found)
            at += size
    end = int(state[4])
    if not end:
        return None
    with path.open("rb") as file:
        start = file.read(64).index(b"[") + 1
    edges = [start - 1, *np.concatenate(cuts).tolist(), end]
    spans = [Span(a + 1, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return spans if len(spans) > 1 else None


@njit(cache=True, nogil=True)
def _commas(data, at, piece, state):
    """Return the commas between elements at which to cut a block of a file; -1 last if it holds more than one array."""
    depth, inside, escaped, last, end = state[0], state[1], state[2], state[3], state[4]
    found = np.empty(len(data) // piece + 2, np.int64)
    count = 0
    for i in range(len(data)):
        byte = data[i]
        if inside:
            if escaped:
                escaped = 0
            elif byte == 92:
                escaped = 1
            elif byte == 34:
                inside = 0
            continue
        if byte == 34:
            inside = 1
        elif byte == 91 or byte == 123:
            depth += 1
        elif byte == 93 or byte == 125:
            depth -= 1
            if depth == 0:
                end = at + i
                continue
        elif byte == 44 and depth == 1 and at + i - last >= piece:
            found[count] = at + i
            last = at + i
            count += 1
        if end and byte > 32:  # something follows the array
            found[count] = -1
            count += 1
            break
    state[0], state[1], state[2], state[3], state[4] = depth, inside, escaped, last, end
    return found[:count]


def _cut_lines(path: Path, piece: int) -> list[Span] | None:
    """Cut at line ends, which JSON has inside no string."""
    size = path.stat().st_size
    edges = [0]
    with path.open("rb") as file:
        while edges[-1] + piece < size:
            file.seek(edges[-1] + piece)
            while line := file.readline(_BLOCK):
                if line.endswith(b"\n"):
                    break
            edges.append(file.tell())
    if edges[-1] < size:
        edges.append(size)
    spans = [Span(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return spans if len(spans) > 1 else None
