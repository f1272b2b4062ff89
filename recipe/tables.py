"""Tables in Arrow files, mapped into memory: what is not looked at is not read."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_table(table: pl.DataFrame, file: IO[bytes]) -> None:
    """Write a table as an Arrow file, uncompressed, so that it can be mapped."""
    table.write_ipc(file)


def map_table(path: Path) -> pl.DataFrame:
    """Return the table of an Arrow file without reading it: its pages come when they are touched, and may go again.

    Parameters
    ----------
    path
        A file that `write_table` wrote.

    Returns
    -------
    polars.DataFrame
        Its columns lie in the file; it may have several chunks.
    """
    import pyarrow as pa  # noqa: PLC0415  polars itself reads Arrow files into memory

    with pa.memory_map(str(path)) as file:
        table = pl.from_arrow(pa.ipc.open_file(file).read_all(), rechunk=False)
    if not isinstance(table, pl.DataFrame):
        raise TypeError(f"expected a table in {path}")
    return table


def map_tables(paths: Iterable[Path]) -> pl.DataFrame:
    """Return the tables of several Arrow files as one, one below the other."""
    return pl.concat([map_table(path) for path in paths], how="vertical", rechunk=False)
