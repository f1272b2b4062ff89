"""The records of a piece, from whatever container it lies in, and what a reader may know besides each."""

from __future__ import annotations

from functools import cache, lru_cache, partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.data.media import Medium
from recipe.errors import InputError
from recipe.io.hashes import state_of
from recipe.stages.read._containers import JSON, container_of, module_of
from recipe.stages.read._detect import SAMPLE, listed
from recipe.stages.read._dialects.columns import by_usual_names
from recipe.stages.read._dialects.media import NoMedium, read_media
from recipe.stages.read._entry import Context, Where
from recipe.stages.read._json import Damage, Undecodable, decode, read_entries, read_span
from recipe.stages.read._json.cut import SHORTEST, cut
from recipe.stages.read._json.load import members_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.io.hashes import Seen
    from recipe.stages.read._images import Images
    from recipe.stages.read._json import Found
    from recipe.stages.read._json.cut import Span
    from recipe.stages.read._piece import Options, Piece

Record = dict[str, Any]
_COLUMNS = {"index", "question", "answer"}  # of VLMEvalKit


def records_of(piece: Piece, *, lenient: bool) -> Iterable[Found | Record]:
    """Return the records of a piece: of JSON not yet decoded, of other containers as they come.

    Raises
    ------
    InputError
        If the file cannot be read.
    Malformed
        If it is a range of JSON that is not valid by itself.
    """
    path, span = piece.file.path, piece.span
    container = container_of(path)
    entries: Iterable[Found | Record]
    if container != JSON:
        rows: Iterable[Record] = module_of(container).records(path, span)
        rows = _checked(path, rows) if container == "table" else rows
        entries = _before_damage(path, rows) if lenient else rows
    elif span is not None:
        entries = read_span(path, span)
    else:
        entries = read_entries(path, lenient=lenient, companion=piece.beside)
    if piece.file.take is None:
        return entries
    whole = list(entries)
    return Taken(whole, piece.file.take.rows(len(whole)))


class Taken(list["Found | Record"]):
    """The records that a list of files takes of a file, and their numbers in it."""

    def __init__(self, whole: Sequence[Found | Record], numbers: Sequence[int]) -> None:
        super().__init__(whole[number] for number in numbers)
        self.numbers = numbers


def _checked(path: Path, rows: Iterable[Record]) -> Iterator[Record]:
    """Yield the rows of a table, or raise unless it has VLMEvalKit's columns: any other might be of anything."""
    for number, row in enumerate(rows):
        if number == 0 and not row.keys() >= _COLUMNS:
            columns = f"the columns {listed(list(row))}"
            what = f"expected a table of VLMEvalKit (index, image, question, A ..., answer), got {columns}"
            raise InputError(f"{path}: {what}; write it as JSON Lines with image, question and answer")
        yield row


def _before_damage(path: Path, rows: Iterable[Record]) -> Iterator[Found | Record]:
    """Yield the records of a file up to its damage, and then what is lost."""
    try:
        yield from rows
    except InputError as error:
        yield Damage("", f"{str(error).removeprefix(f'{path}: ')}; what followed is lost")


def sampled(entries: Iterable[Found | Record]) -> tuple[Sequence[Found | Record], Iterable[Found | Record]]:
    """Return records by which the format can be recognised, and all of them: a stream is asked for its first only."""
    if hasattr(entries, "__getitem__"):
        return entries, entries  # type: ignore[return-value]
    stream = iter(entries)
    first = list(islice(stream, SAMPLE))
    return first, chain(first, stream)


def context_of(piece: Piece, options: Options, images: Images) -> Context:
    """Return what a reader may know besides the records of a piece."""
    beside = dict(piece.file.beside or {})
    if piece.beside is not None and piece.file.path.name.endswith("_instructions.json"):
        beside["pictures"] = _pictures(piece.beside, piece.seen[1:])
    return Context(
        piece.file.path,
        options.boxes,
        options.suffix_seed,
        images,
        piece.file.root,
        Where(cache(partial(_first_record, piece.file.path, piece.span))),
        beside or None,
    )


def _first_record(path: Path, span: Span | None) -> int:
    """Return the number of the first record of a piece; counted only where a record holds the bytes of a picture."""
    if span is None or span.start == 0:
        return 0
    container = container_of(path)
    if container == "tar":
        return module_of(container).first_record(path, span)  # type: ignore[no-any-return]
    if container != JSON:  # which count their records
        return span.start
    return int(np.searchsorted(_starts(path, state_of(path)), span.start))


@lru_cache(maxsize=1)
def _starts(path: Path, _: tuple[int, ...]) -> NDArray[np.int64]:
    """Return where each record of a file of JSON begins, once in each process for each state of the file."""
    return np.array([one.start for one in cut(path, piece=SHORTEST) or ()], dtype=np.int64)


def usual(value: Any, context: Context) -> Any:
    """Return a record by the names that readers know, and anything else as it is."""
    return by_usual_names(value, context.beside) if context.beside and isinstance(value, dict) else value


@lru_cache(maxsize=1)
def _pictures(path: Path, _: tuple[Seen, ...]) -> Mapping[str, Medium]:
    """Return the pictures of MIMIC-IT by their ids, once in each process for each state of their file."""
    container = container_of(path)
    if container != JSON:
        rows = module_of(container).records(path)
        named = {str(row.get("id") or row.get("__index_level_0__")): row for row in rows}
        found = {
            name: next((one for one in row.values() if isinstance(one, Medium | str) and one != name), None)
            for name, row in named.items()
        }
        return {
            name: one._replace(place=one.place and f"@{path.name}:{one.place}")
            for name, one in found.items()
            if isinstance(one, Medium)
        }
    known: dict[str, Medium] = {}
    for name, value in members_of(path).items():
        try:
            (medium,) = read_media(decode(value), "image", None, "")
        except (NoMedium, Undecodable, ValueError):
            continue
        known[name] = medium if medium.hash is None else medium._replace(path=name, place=f"@{path.name}:{name}")
    return known
