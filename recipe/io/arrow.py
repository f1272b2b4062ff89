"""Tables that may be larger than memory: memory-mapped Arrow files, of which only the parts in use are read."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.errors import InputError
from recipe.io.panics import unprinted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

PIECE = 1 << 17  # rows of the table that are processed together


def write_table(table: pl.DataFrame, file: IO[bytes]) -> None:
    """Write a table as an Arrow file, uncompressed, so that it can be mapped."""
    table.write_ipc(file)


def map_table(path: Path) -> pl.DataFrame:
    """Return the table of an Arrow file without reading it: the system loads its pages on use, and may drop them again.

    Parameters
    ----------
    path
        A file that `write_table` wrote.

    Returns
    -------
    polars.DataFrame
        Backed by the file; it may have several chunks.
    """
    import pyarrow as pa  # noqa: PLC0415  polars itself reads Arrow files into memory

    with pa.memory_map(str(path)) as file:
        table = pl.from_arrow(pa.ipc.open_file(file).read_all(), rechunk=False)
    if not isinstance(table, pl.DataFrame):
        raise TypeError(f"expected a table in {path}")
    return table


def map_tables(paths: Iterable[Path]) -> pl.DataFrame:
    """Return the tables of several Arrow files concatenated."""
    return pl.concat([map_table(path) for path in paths], how="vertical", rechunk=False)


def read_parquet(file: Path) -> pl.DataFrame:
    """Read a Parquet file of anybody.

    Parameters
    ----------
    file
        Its path.

    Returns
    -------
    polars.DataFrame
        Its columns, not yet checked.

    Raises
    ------
    InputError
        If it is no Parquet file, or is damaged.
    """
    try:
        with unprinted():
            return pl.read_parquet(file)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{file}: cannot be read as Parquet ({what:.200}); check the file") from None


def take(table: pl.DataFrame, columns: Iterable[str], rows: NDArray[np.int64]) -> pl.DataFrame:
    """Return some rows of some columns, in the order given; O(k log k + n / PIECE).

    polars copies a whole column of lists, or columns with different chunks, before it gathers from them, and a pool's
    text may be larger than memory. So each column is sliced by itself, and only slices with a wanted row are read.

    Parameters
    ----------
    table
        n rows, in memory or mapped from a file.
    columns
        Names of columns, each once.
    rows
        (k,) row numbers.

    Returns
    -------
    polars.DataFrame
        k rows.

    Examples
    --------
    >>> take(pl.DataFrame({"a": [5, 6, 7]}), ["a"], np.array([2, 0])).to_series().to_list()
    [7, 5]
    """
    names = list(columns)
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    starts = np.unique(ascending // PIECE) * PIECE
    parts = np.split(ascending, np.searchsorted(ascending, starts[1:]))
    pieces = [
        pl.DataFrame([table[name].slice(start, PIECE).gather(part - start) for name in names])
        for start, part in zip(starts.tolist(), parts, strict=False)
    ]
    return pl.concat(pieces)[np.argsort(order, kind="stable")] if pieces else table.clear().select(names)
