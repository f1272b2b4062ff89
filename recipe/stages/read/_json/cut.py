"""Cut a large JSON file into pieces at the borders of its records, without decoding them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHORTEST = 2  # bytes of the shortest array element with its comma: a piece of this size never holds two records
_BLOCK = 1 << 24


class Span(NamedTuple):
    """A range of bytes of a file with whole records: the inside of an array, or whole lines."""

    start: int
    end: int


def cut(path: Path, *, piece: int) -> list[Span] | None:
    """Cut a file into pieces of about equal length at the borders of records; O(bytes) time, constant memory.

    Parameters
    ----------
    path
        A file of plain JSON.
    piece
        Minimum bytes of a piece; it ends with the record that reaches this length.

    Returns
    -------
    list of Span or None
        Ranges between the brackets of one array, or of whole lines of JSON Lines; None if the file is short, or looks
        like something else. Whether the pieces are valid JSON is not checked.
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
    from recipe.stages.read._json.kernels import commas  # noqa: PLC0415  compiles, which a small file need not wait for

    state = np.zeros(5, np.int64)  # depth, inside a string, after a backslash, last cut, where the array ended
    buffer = bytearray(_BLOCK)
    view = np.frombuffer(buffer, np.uint8)
    cuts: list[NDArray[np.int64]] = []
    at = 0
    with path.open("rb") as file:
        while size := file.readinto(buffer):
            found = commas(view[:size], at, piece, state)
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
    spans = [Span(a + 1, b) for a, b in pairwise(edges)]
    return spans if len(spans) > 1 else None


def _cut_lines(path: Path, piece: int) -> list[Span] | None:
    """Cut at line ends, which cannot be inside a JSON string."""
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
    spans = [Span(a, b) for a, b in pairwise(edges)]
    return spans if len(spans) > 1 else None
