"""The bytes of pictures that lie in the files of samples, each file read once."""

from __future__ import annotations

from itertools import groupby, pairwise
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from recipe.errors import InputError
from recipe.stages.read._containers import JSON, container_of, module_of
from recipe.stages.read._containers.places import BESIDE, Place, decoded, value_at
from recipe.stages.read._json import Undecodable, decode, read_entries, read_span
from recipe.stages.read._json.cut import Span, cut
from recipe.stages.read._json.load import members_of

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
    if any(place.startswith(BESIDE) for place in places):
        yield from _beside(path, places)
        return
    container = container_of(path)
    wanted = [Place.parse(place) for place in places]
    if container not in (JSON, "tar"):
        wanted = [place.counted() for place in wanted]
    if all(a <= b for a, b in pairwise(wanted)):
        yield from _found(path, container, wanted)
        return
    order = sorted(set(wanted))
    spots: dict[Place, tuple[int, int]] = {}
    with TemporaryFile() as spool:
        for place, content in zip(order, _found(path, container, order), strict=True):
            spots[place] = spool.tell(), len(content)
            spool.write(content)
        for place in wanted:
            start, length = spots[place]
            spool.seek(start)
            yield spool.read(length)


def _beside(path: Path, places: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes at places of which some are in a file beside the source, as the pictures of MIMIC-IT are."""
    for name, some in groupby(places, key=lambda place: place[1:].partition(":")[0] if place[0] == BESIDE else ""):
        file = path.with_name(name) if name else path
        inside = [place.partition(":")[2] if name else place for place in some]
        if not name or container_of(file) != JSON:
            yield from picture_bytes(file, inside)
            continue
        known = members_of(file)
        for key in inside:
            content = decoded(_record(known[key])) if key in known else None
            if content is None:
                raise InputError(f"{file}: expected a picture under {key!r:.80}, got none; read the pool again")
            yield content


def _found(path: Path, container: str, places: Sequence[Place]) -> Iterator[bytes]:
    """Yield the bytes at ascending places."""
    stored = _in_json(path, places) if container == JSON else module_of(container).picture_bytes(path, places)
    for place, content in zip(places, stored, strict=True):
        if content is None:
            raise InputError(
                f"{path}: expected a picture at {place}, got none; the file has changed: read the pool again"
            )
        yield content


def _in_json(path: Path, places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes of pictures in base64 at ascending places; None where there is none."""
    for (start, end), some in groupby(places, key=lambda place: (place.start, place.end)):
        span = None if end < 0 else Span(start, end)
        yield from _in_entries(_entries(path, span), list(some))


def _in_entries(entries: Iterator[Found], places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes at ascending places in a range."""
    at = 0
    for number, entry in enumerate(entries):
        if at == len(places):
            return
        if places[at].number > number:
            continue
        record = _record(entry)
        while at < len(places) and places[at].number == number:
            yield decoded(value_at(record, places[at].keys()))
            at += 1
    yield from [None] * (len(places) - at)


def _entries(path: Path, span: Span | None) -> Iterator[Found]:
    """Yield the entries of a range, or of a file; of a large one piece by piece."""
    spans = cut(path, piece=PIECE) if span is None else [span]
    if spans is None:
        yield from read_entries(path, lenient=True)
        return
    for one in spans:
        yield from read_span(path, one)


def _record(entry: Found) -> object:
    """Decode an entry; None if it cannot be."""
    try:
        return decode(entry)
    except (Undecodable, RecursionError):
        return None
