"""Picked rows of a table that is too large to be gathered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = 1 << 17  # rows of the table that are looked at together


def take(table: pl.DataFrame, rows: NDArray[np.int64]) -> pl.DataFrame:
    """Return some rows of a table, in the order asked for, touching the pieces of it that hold any; O(k log k + n / PIECE).

    polars copies a whole column of lists into one piece before it gathers from it; a pool's text may be larger than
    the memory.

    Parameters
    ----------
    table
        n rows, in memory or mapped from a file.
    rows
        (k,) row numbers.

    Returns
    -------
    polars.DataFrame
        k rows.

    Examples
    --------
    >>> take(pl.DataFrame({"a": [5, 6, 7]}), np.array([2, 0])).to_series().to_list()
    [7, 5]
    """
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    starts = np.unique(ascending // PIECE) * PIECE
    cuts = np.searchsorted(ascending, starts)
    pieces = [
        table.slice(int(start), PIECE)[part - start]
        for start, part in zip(starts, np.split(ascending, cuts[1:]), strict=False)
    ]
    return pl.concat(pieces)[np.argsort(order, kind="stable")] if pieces else table.clear()
