"""The bytes of pictures that lie in the files of samples, each file read once."""

from __future__ import annotations

from itertools import pairwise
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from recipe.errors import InputError
from recipe.stages.read._containers import JSON, container_of, module_of
from recipe.stages.read._json import Undecodable, decode, read_entries, read_span
from recipe.stages.read._json.cut import cut
from recipe.stages.read._places import Place, decoded, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from recipe.stages.read._json import Found

PIECE = 16_000_000  # bytes of JSON that are held at a time


def picture_bytes(path: Path, places: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes of pictures, videos and sounds in a file, in the order of their places, in constant memory.

    Parameters
    ----------
    path
        A source of a pool.
    places
        `Medium.place` of each. In ascending order they are streamed; else those that are wanted later go through a
        temporary file.

    Yields
    ------
    bytes
        One for each place.

    Raises
    ------
    InputError
        If the file cannot be read, or nothing lies at a place.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "pool.json")
    ...     _ = file.write_text(json.dumps([{"image": "R0lGODlh"}]))
    ...     list(picture_bytes(file, ["record:0:/image"]))
    [b'GIF89a']
    """
    wanted = [Place.parse(place) for place in places]
    if all(a <= b for a, b in pairwise(wanted)):
        yield from _found(path, wanted)
        return
    order = sorted(set(wanted))
    spots: dict[Place, tuple[int, int]] = {}
    with TemporaryFile() as spool:
        for place, content in zip(order, _found(path, order), strict=True):
            spots[place] = spool.tell(), len(content)
            spool.write(content)
        for place in wanted:
            start, length = spots[place]
            spool.seek(start)
            yield spool.read(length)


def _found(path: Path, places: Sequence[Place]) -> Iterator[bytes]:
    """Yield the bytes at ascending places."""
    container = container_of(path)
    stored = _in_json(path, places) if container == JSON else module_of(container).picture_bytes(path, places)
    for place, content in zip(places, stored, strict=True):
        if content is None:
            at = (
                f"byte {place.start:,}"
                if place.length >= 0
                else f"record {place.start:,}, {place.pointer or 'the record'}"
            )
            raise InputError(f"{path}: expected a picture at {at}, got none; the file has changed: read the pool again")
        yield content


def _in_json(path: Path, places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes of pictures in base64 at ascending places; None where there is none."""
    at = 0
    for number, entry in enumerate(_entries(path)):
        if at == len(places):
            return
        if places[at].start > number:
            continue
        record = _record(entry)
        while at < len(places) and places[at].start == number:
            yield decoded(value_at(record, places[at].keys()))
            at += 1
    yield from [None] * (len(places) - at)


def _entries(path: Path) -> Iterator[Found]:
    """Yield the entries of a file of JSON, of a large one piece by piece."""
    spans = cut(path, piece=PIECE)
    if spans is None:
        yield from read_entries(path, lenient=True)
        return
    for span in spans:
        yield from read_span(path, span)


def _record(entry: Found) -> object:
    """Decode an entry; None if it cannot be."""
    try:
        return decode(entry)
    except (Undecodable, RecursionError):
        return None
