"""Arrow IPC, as a file (Feather 2, polars) or a stream (`save_to_disk` of Hugging Face): a record batch at a time.

Read by pyarrow into memory, not mapped: a file that is cut while it is mapped kills the process.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from recipe.io.regular import regular
from recipe.stages.read._containers._values import ROWS, reading, rows_of, value_in
from recipe.stages.read._containers.places import Place, decoded
from recipe.stages.read._json.cut import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import IO

WHAT = "Arrow"
MAGIC = b"ARROW1"  # of a file; a stream has none
_END = b"\0" * 4  # of a stream: the length of the next message


def spans(path: Path, piece: int) -> list[Span]:
    """Cut a file at the borders of its record batches; a stream is not cut, since it has no index.

    Parameters
    ----------
    path
        An Arrow file or stream.
    piece
        Minimum bytes of a range, as they lie in the file.

    Returns
    -------
    list of Span
        Numbers of records: the first, and the one after the last. Empty for a stream.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    with _opened(path) as handle:
        starts = _starts(handle)
        count = len(starts) - 1
        if count < 1:
            return []
        each = max(1, -(-piece * count // path.stat().st_size))
        return [Span(a, b) for a, b in pairwise([*starts[:-1:each], starts[-1]]) if b > a]


def records(path: Path, span: Span | None = None) -> Iterator[dict[str, Any]]:
    """Yield the records of a file, or of a range of it, in order; as `_values.rows_of` makes them.

    Parameters
    ----------
    path
        An Arrow file or stream.
    span
        One of `spans`.

    Yields
    ------
    dict
        Column to value.

    Raises
    ------
    InputError
        If the file cannot be read, or is damaged.
    """
    for batch, first in batches_in(path, span):
        with reading(path, WHAT):
            yield from rows_of(batch, first)


def batches_in(path: Path, span: Span | None, rows: int | None = None) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield slices of at most so many rows, each with the number of its first; raise as `records`."""
    with _opened(path) as handle:
        yield from _batches(handle, span, rows or ROWS)


def schema_of(path: Path) -> pa.Schema:
    """Return the names and types of the columns of a file; raise as `records`."""
    with _opened(path) as handle:
        is_file = handle.read(len(MAGIC)) == MAGIC
        handle.seek(0)
        return (pa.ipc.open_file(handle) if is_file else pa.ipc.open_stream(handle)).schema


def picture_bytes(path: Path, places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes at some places, in ascending order of the records; None where nothing lies.

    Parameters
    ----------
    path
        An Arrow file or stream.
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
    with _opened(path) as handle:
        for batch, first in _batches(handle, Span(places[0].number, places[-1].number + 1) if places else Span(0, 0)):
            while at < len(places) and places[at].number < first + len(batch):
                yield decoded(value_in(batch, places[at].number - first, places[at].keys()))
                at += 1
            if at == len(places):
                return  # what follows may be damaged
        yield from [None] * (len(places) - at)


def _batches(handle: IO[bytes], span: Span | None, rows: int = ROWS) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield slices of the record batches that share a record with a range, each with the number of its first record."""
    starts = _starts(handle)
    if len(starts) == 0:
        whole, first = iter(pa.ipc.open_stream(handle)), 0
    else:
        table = pa.ipc.open_file(handle)
        low, high = span or (0, starts[-1])
        wanted = [i for i, (a, b) in enumerate(pairwise(starts)) if a < high and b > low]
        whole, first = map(table.get_batch, wanted), starts[wanted[0]] if wanted else 0
    for batch in whole:
        batch.validate()
        for start in range(0, len(batch), rows):
            yield batch.slice(start, rows), first + start
        first += len(batch)
    if not starts:
        _check_end(handle)


def _check_end(handle: IO[bytes]) -> None:
    """Raise unless a stream ends with the mark of its end; pyarrow takes the end of the file for it."""
    handle.seek(max(0, handle.seek(0, 2) - len(_END)))
    if handle.read() != _END:
        raise pa.ArrowInvalid("it is truncated before the mark of its end")


def _starts(handle: IO[bytes]) -> list[int]:
    """Return the number of the first record of each batch of a file, and of all records; nothing for a stream."""
    handle.seek(0)
    magic = handle.read(len(MAGIC))
    handle.seek(0)
    if magic != MAGIC:
        return []
    schema = pa.ipc.open_file(handle).schema
    fixed = [pa.types.is_primitive(field.type) for field in schema]  # such a column is short
    cheap = fixed.index(True) if True in fixed else 0
    counted = pa.ipc.open_file(handle, options=pa.ipc.IpcReadOptions(included_fields=[cheap]))  # reads this column only
    return [0, *accumulate(counted.get_batch(i).num_rows for i in range(counted.num_record_batches))]


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, and turn what Arrow raises about it into an error of one line."""
    with reading(path, WHAT):
        regular(path)
        with path.open("rb") as handle:
            yield handle
