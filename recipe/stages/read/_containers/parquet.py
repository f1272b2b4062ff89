"""Parquet: row groups are read in batches of some megabytes, column by column, by pyarrow.

polars reads Parquet too, but a row group at a time: one of 100,000 pictures of 20 KB would take 2 GB. pyarrow, which
is needed for the library's own files anyway, decodes page after page, and can check texts and offsets.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recipe.errors import InputError
from recipe.io.regular import regular
from recipe.stages.read._containers._values import BYTES, ROWS, dictionaries_in, reading, rows_of, value_in
from recipe.stages.read._containers.places import Place, decoded
from recipe.stages.read._json.cut import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from pyarrow.parquet import FileMetaData, ParquetFile

WHAT = "Parquet"
MOST = 1 << 28  # bytes that the texts of a batch may unpack to
USUAL = 4  # texts of one column in a record
_ENCRYPTED = b"PARE"


def spans(path: Path, piece: int) -> list[Span]:
    """Cut a file at the borders of its row groups.

    Parameters
    ----------
    path
        A Parquet file.
    piece
        Minimum bytes of a range, unpacked; it ends with the row group that reaches this length.

    Returns
    -------
    list of Span
        Numbers of records: the first, and the one after the last.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    with _opened(path) as file:
        cuts, first, size, at = [], 0, 0, 0
        for group in range(file.metadata.num_row_groups):
            size += file.metadata.row_group(group).total_byte_size
            at += file.metadata.row_group(group).num_rows
            if size >= piece and at > first:
                cuts.append(Span(first, at))
                first, size = at, 0
        return cuts if at == first else [*cuts, Span(first, at)]


def records(path: Path, span: Span | None = None) -> Iterator[dict[str, Any]]:
    """Yield the records of a file, or of a range of it, in order; as `_values.rows_of` makes them.

    Parameters
    ----------
    path
        A Parquet file.
    span
        One of `spans`.

    Yields
    ------
    dict
        Column to value.

    Raises
    ------
    InputError
        If the file cannot be read, is encrypted, or is damaged.
    """
    for batch, first in batches_in(path, span):
        with reading(path, WHAT):
            yield from rows_of(batch, first)


def batches_in(path: Path, span: Span | None, rows: int | None = None) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield batches of at most so many rows, each with the number of its first; raise as `records`.

    By default none reaches over the end of a row group, so that damage in the next one costs nothing of it.
    """
    with _opened(path) as file:
        groups = list(_groups(file.metadata, span))
        runs = [([group for group, _ in groups], groups[0][1])] if rows and groups else [([g], at) for g, at in groups]
        for run, first in runs:
            for batch in batches(file, run, rows=rows or ROWS):
                yield batch, first
                first += len(batch)  # noqa: PLW2901  the number of the next


def schema_of(path: Path) -> pa.Schema:
    """Return the names and types of the columns of a file; raise as `records`."""
    with _opened(path) as file:
        return file.schema_arrow


def picture_bytes(path: Path, places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes at some places, in ascending order of the records; None where nothing lies.

    Parameters
    ----------
    path
        A Parquet file.
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
    with _opened(path) as file:
        names = {place.keys()[0] for place in places}
        columns = [name for name in file.schema_arrow.names if name in names]
        at = 0
        for group, first in _groups(file.metadata, None):
            end = first + file.metadata.row_group(group).num_rows
            if at == len(places) or places[at].number >= end:
                continue
            for batch in batches(file, [group], columns):
                while at < len(places) and places[at].number < first + len(batch):
                    yield decoded(value_in(batch, places[at].number - first, places[at].keys()))
                    at += 1
                first += len(batch)  # noqa: PLW2901  the number of the next
        yield from [None] * (len(places) - at)


def batches(
    file: ParquetFile, groups: list[int], columns: list[str] | None = None, rows: int = ROWS
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of row groups, about 32 MB at a time."""
    about = [file.metadata.row_group(group) for group in groups]
    size, count = sum(group.total_byte_size for group in about), sum(group.num_rows for group in about)
    if groups:
        rows = max(1, min(rows, BYTES * count // max(1, size)))
        rows = min([rows, *(_fitting(file, group, columns, rows) for group in groups)])
        yield from file.iter_batches(rows, row_groups=groups, columns=columns, use_threads=False)


def _fitting(file: ParquetFile, group: int, columns: list[str] | None, rows: int) -> int:
    """Return how many rows of a group fit into memory: a text that a dictionary names for each may be a long one.

    The metadata of a column are not asked: where they are damaged, pyarrow ends the process.
    """
    import pyarrow.compute as pc  # noqa: PLC0415  as in _opened
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    about, leaves = file.metadata.row_group(group), map(file.schema.column, range(len(file.schema)))
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    texts = [path for path in texts if columns is None or path.partition(".")[0] in columns]
    if not texts or min(rows, about.num_rows) * about.total_byte_size <= MOST:
        return rows
    known = {"metadata": file.metadata, "read_dictionary": texts, "pre_buffer": False}
    with pq.ParquetFile(file.reader_source, **known) as coded:
        first = next(coded.iter_batches(1, row_groups=[group], columns=texts, use_threads=False), None)
    words = [] if first is None else [one for column in first.columns for one in dictionaries_in(column) if len(one)]
    longest = sum(pc.max(pc.binary_length(one)).as_py() or 0 for one in words)
    return min(rows, max(1, MOST // max(1, USUAL * longest)))


def _groups(metadata: FileMetaData, span: Span | None) -> Iterator[tuple[int, int]]:
    """Yield the number of each row group in a range, and of its first record."""
    first = 0
    for group in range(metadata.num_row_groups):
        if span is None or span.start <= first < span.end:
            yield group, first
        first += metadata.row_group(group).num_rows


@contextmanager
def _opened(path: Path) -> Iterator[ParquetFile]:
    """Open a file whose columns are read through small buffers."""
    import pyarrow.parquet as pq  # noqa: PLC0415  not every pool has Parquet

    with reading(path, WHAT):
        regular(path)
        with path.open("rb") as handle:
            if handle.read(4) == _ENCRYPTED:
                raise InputError(f"{path}: expected Parquet, got an encrypted file; decrypt it first")
            handle.seek(0)
            with pq.ParquetFile(handle, pre_buffer=False, buffer_size=1 << 20) as file:
                file.reader_source = handle  # which `_fitting` opens once more
                yield file
