"""Write the scores of all samples as Parquet, in groups of rows."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 1 << 17  # rows of a group in the file, which are copied at a time


def write_scores(scores: pl.DataFrame, file: IO[bytes]) -> None:
    """Write a table as Parquet; the bytes depend on its values alone, not on how its columns are chunked in memory.

    Parameters
    ----------
    scores
        One line per sample of the pool.
    file
        Open for writing.
    """

    def groups(*_: object) -> Iterator[pl.DataFrame]:
        for start in range(0, max(1, len(scores)), ROWS):
            yield pl.DataFrame([_slice(column, start) for column in scores])

    register_io_source(groups, schema=scores.schema, is_pure=True).sink_parquet(file, row_group_size=ROWS)


def _slice(column: pl.Series, start: int) -> pl.Series:
    """Return a slice of a column; lists are copied, since the pages of the file depend on the lists around a slice."""
    chunk = column.slice(start, ROWS)
    return chunk.gather(np.arange(len(chunk))) if column.dtype.is_nested() else chunk.rechunk()
