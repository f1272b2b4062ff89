"""The scores of all samples as Parquet, written piece by piece."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 1 << 17  # a group of rows in the file, and what is copied at a time


def write_scores(scores: pl.DataFrame, file: IO[bytes]) -> None:
    """Write a table as Parquet; the bytes hang on its values alone, not on how its columns are cut up in memory.

    Parameters
    ----------
    scores
        One line a sample of the pool.
    file
        Open for writing.
    """

    def pieces(*_: object) -> Iterator[pl.DataFrame]:
        for start in range(0, max(1, len(scores)), ROWS):
            yield pl.DataFrame([_piece(column, start) for column in scores])

    register_io_source(pieces, schema=scores.schema, is_pure=True).sink_parquet(file, row_group_size=ROWS)


def _piece(column: pl.Series, start: int) -> pl.Series:
    """Cut a column; lists are copied, since the pages of a file would tell how long the lists beside them are."""
    piece = column.slice(start, ROWS)
    return piece.gather(np.arange(len(piece))) if column.dtype.is_nested() else piece.rechunk()
