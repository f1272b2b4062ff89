"""Vectors of your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.embed.hashing import unit_rows
from recipe.errors import AlignmentError, ConfigError, InputError
from recipe.pool import check_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool


def embed(
    pool: Pool,
    *,
    path: str | Path,
    column: str = "vector",
    seed: int = 0,  # noqa: ARG001  every embedder takes a seed
) -> NDArray[np.float32]:
    """Read vectors that were computed elsewhere.

    Parameters
    ----------
    pool
        n samples.
    path
        ``.npy``: an (n, d) matrix of floats, one row for each sample *in the order in which the sources were read*
        (source after source as given, the files of a folder by name, records as they stand). ``.parquet``: a column
        `key` and a list or array column, in any order; further keys are ignored.
    column
        The column of the Parquet file that holds the vectors.
    seed
        Unused.

    Returns
    -------
    ndarray
        (n, d) float32 unit rows, in the order of the pool.

    Raises
    ------
    InputError
        If the file is missing or cannot be read.
    AlignmentError
        If it does not have one finite vector for each sample.
    ConfigError
        If its ending is neither ``.npy`` nor ``.parquet``.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"embed.cached: no file {file}; give the path of a .npy or .parquet file")
    if file.suffix not in {".npy", ".parquet"}:
        raise ConfigError(f"embed.cached: expected a .npy or .parquet file, got {file}")
    given = _matrix(file) if file.suffix == ".npy" else _by_key(pool, file, column)
    try:
        check_vectors(given, len(pool))
    except AlignmentError as error:
        raise AlignmentError(f"{file}: {error}") from error
    ordered = given[pool.rows["order"].to_numpy()] if file.suffix == ".npy" else given
    return unit_rows(np.array(ordered, dtype=np.float32))


def _matrix(file: Path) -> NDArray[np.float32]:
    """Read a .npy file, never a pickled one."""
    try:
        with file.open("rb") as stored:
            matrix = np.lib.format.read_array(stored, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(
            f"embed.cached: {file} is no .npy file of numbers ({error}); write it with numpy.save"
        ) from error
    return np.asarray(matrix, dtype=np.float32) if matrix.dtype.kind == "f" else np.asarray(matrix)


def _by_key(pool: Pool, file: Path, column: str) -> NDArray[np.float32]:
    """Read a Parquet file and bring its vectors into the order of the pool."""
    try:
        table = pl.read_parquet(file, columns=["key", column], glob=False)
        table = table.with_columns(pl.col("key").cast(pl.String), _as_list(table[column]))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"embed.cached: cannot read key and {column} of {file} ({reason}); give column=...") from error
    first = table.unique("key", keep="first", maintain_order=True)
    joined = pool.rows.select("key").join(first, on="key", how="left", maintain_order="left")
    missing = joined.filter(pl.col(column).is_null())
    if missing.height:
        raise AlignmentError(
            f"{file}: expected a vector for each of {len(pool)} samples, "
            f"{missing.height} keys have none, as {missing['key'][0]}"
        )
    widths = joined[column].list.len()
    if widths.n_unique() != 1 or widths[0] == 0:
        raise AlignmentError(f"{file}: expected vectors of one length, got {widths.min()!r} to {widths.max()!r}")
    return joined[column].list.to_array(widths[0]).to_numpy()


def _as_list(vectors: pl.Series) -> pl.Series:
    """Bring a column of lists or arrays of any numbers to lists of float32."""
    if not isinstance(vectors.dtype, pl.List | pl.Array):
        raise pl.exceptions.SchemaError(f"expected lists of numbers, got {vectors.dtype}")
    return vectors.cast(pl.List(pl.Float32))
