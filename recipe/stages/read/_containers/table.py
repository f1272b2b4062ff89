"""CSV and TSV: line by line, in constant memory; a quote that begins no field, or that nothing closes, is a letter.

Neither the `csv` module nor polars reads a file in which somebody forgot a quote: the first takes everything up to the
next quote for one field, and refuses fields of more than 128 KB, which pictures in base64 have; the second stops.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recipe.errors import InputError
from recipe.io.regular import regular
from recipe.stages.read._containers.packed import HEAD, Unpacked, packing_of
from recipe.stages.read._containers.places import Place, decoded, value_at
from recipe.stages.read._json.load import encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from recipe.stages.read._json.cut import Span

LONGEST = 64_000_000  # characters of a field; a line that is longer is no line of a table
PATIENCE = 200  # quotes that nothing closes, after which none is looked for any more
_BROKEN = (OSError, EOFError, ValueError, MemoryError)


def spans(path: Path, piece: int) -> list[Span]:  # noqa: ARG001  as of the other containers
    """Return nothing: a line end may lie in a field, so the file is read from its beginning."""
    return []


def records(path: Path, span: Span | None = None) -> Iterator[dict[str, Any]]:  # noqa: ARG001  as of the other containers
    """Yield the records of a table.

    Parameters
    ----------
    path
        A file whose first line names its columns; its ending says whether tabs or commas divide them, and it may be
        packed.
    span
        Unused.

    Yields
    ------
    dict
        Column to text; None for an empty field, and for one that is missing. What is more than there are columns is a
        list under None, as of `csv.DictReader`.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or is no text.
    """
    with _reading(path), _opened(path) as file:
        rows = _rows(file, delimiter_of(path))
        names = next(rows, None)
        if names is None:
            raise InputError(f"{path}: expected a table, got an empty file; remove it from the sources, or restore it")
        for fields in rows:
            record: dict[Any, Any] = {name: field or None for name, field in zip(names, fields, strict=False)}
            if len(fields) < len(names):
                record |= dict.fromkeys(names[len(fields) :])
            elif len(fields) > len(names):
                record[""] = fields[len(names) :]
            yield record


def picture_bytes(path: Path, places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes at some places, in ascending order of the records; None where nothing lies.

    Parameters
    ----------
    path
        A table with pictures in base64.
    places
        Ascending.

    Yields
    ------
    bytes or None
        One for each place.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    at = 0
    for number, record in enumerate(records(path)):
        while at < len(places) and places[at].number == number:
            yield decoded(value_at(record, places[at].keys()))
            at += 1
        if at == len(places):
            return
    yield from [None] * (len(places) - at)


def delimiter_of(path: Path) -> str:
    """Return what divides the columns of a file, by its name.

    Examples
    --------
    >>> from pathlib import Path
    >>> delimiter_of(Path("MMBench.tsv.gz")) == chr(9), delimiter_of(Path("a.csv"))
    (True, ',')
    """
    return "\t" if ".tsv" in (suffix.lower() for suffix in path.suffixes[-2:]) else ","


def fields_of(line: str, delimiter: str) -> list[str] | None:
    r"""Divide a line into its fields; None if it ends inside of quotes.

    Parameters
    ----------
    line
        Without its line end; it may be several lines.
    delimiter
        One character.

    Returns
    -------
    list of str or None
        A field in quotes without these; a quote within a field that begins with none is a letter.

    Examples
    --------
    >>> fields_of('1,"a, ""b"", c"', ","), fields_of('12" pipe,"A" or B', ","), fields_of('1,"a', ",")
    (['1', 'a, "b", c'], ['12" pipe', '"A" or B'], None)
    """
    fields, at = [], 0
    while True:
        if line.startswith('"', at):
            end = _closing(line, at + 1)
            if end < 0:
                return None
            if end + 1 == len(line) or line[end + 1] == delimiter:
                fields.append(line[at + 1 : end].replace('""', '"'))
                if end + 1 == len(line):
                    return fields
                at = end + 2
                continue
        end = line.find(delimiter, at)
        if end < 0:
            return [*fields, line[at:]]
        fields.append(line[at:end])
        at = end + 1


def _closing(line: str, at: int) -> int:
    """Return where the quote stands that closes a field, -1 for nowhere; two quotes are one letter."""
    while (at := line.find('"', at)) >= 0:
        if not line.startswith('"', at + 1):
            return at
        at += 2
    return -1


def _rows(file: IO[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the fields of each row; lines are joined while a field in quotes goes on."""
    lines = _Lines(file)
    count = failed = 0
    while (line := lines.next()) is not None:
        if not line:
            continue
        fields = fields_of(line, delimiter) if '"' in line else line.split(delimiter)
        if fields is None:
            fields, more = _joined(lines, line, delimiter, count) if failed < PATIENCE else (None, [])
            if fields is None:
                failed += 1
                fields = line.split(delimiter)  # nothing closes the quote, so it is a letter
                lines.back(more)
        elif count and len(fields) != count and line.count(delimiter) == count - 1:
            fields = line.split(delimiter)  # the delimiter stood between two quotes that are letters
        count = count or len(fields)
        yield fields


def _joined(lines: _Lines, line: str, delimiter: str, count: int) -> tuple[list[str] | None, list[str]]:
    """Join lines to one row of the right width; return None if they make none, and the lines that were read for it."""
    more: list[str] = []
    parts, size = [line], len(line)
    while size < LONGEST and (following := lines.next()) is not None:
        more.append(following)
        parts.append(following)
        size += len(following)
        if following.count('"') % 2:
            fields = fields_of("\n".join(parts), delimiter)
            if fields is not None:
                return (fields if not count or len(fields) == count else None), more
    return None, more


class _Lines:
    """The lines of a file, some of which can be given back."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._kept: list[str] = []  # last first

    def next(self) -> str | None:
        """Return the next line without its end; None after the last."""
        if self._kept:
            return self._kept.pop()
        line = self._file.readline(LONGEST)
        if len(line) == LONGEST:
            raise ValueError(f"a line of more than {LONGEST:,} characters")
        return line.rstrip("\r\n") if line else None

    def back(self, lines: list[str]) -> None:
        """Give back the lines that were read last."""
        self._kept += reversed(lines)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Open a file as text, unpacked, whose lines end with a line feed."""
    regular(path)
    with path.open("rb") as file:
        packing = packing_of(file.read(HEAD))
        file.seek(0)
        raw = io.BufferedReader(Unpacked(file, path, packing), 1 << 20) if packing else file
        with io.TextIOWrapper(raw, encoding=encoding_of(raw.peek(4)), newline="\n") as text:
            yield text


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever is raised about a damaged file into an error of one line."""
    try:
        yield
    except UnicodeError as error:
        what = "expected UTF-8, or any UTF with a byte-order mark, got other bytes"
        raise InputError(f"{path}: {what} ({error}); convert it to UTF-8") from None
    except _BROKEN as error:
        why = (getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__)[:200]
        raise InputError(f"{path}: cannot be read as a table ({why}); fetch or write the file again") from None
