"""Vectors of your own."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from recipe.data.alignment import check_ids, check_order, check_repeats, rows_by_name, rows_by_order
from recipe.data.vectors import unit_rows
from recipe.errors import AlignmentError, ConfigError, InputError
from recipe.io.lines import lines_of
from recipe.io.panics import unprinted
from recipe.io.regular import bytes_of
from recipe.stages.embed._sample import sample_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from recipe.config.ranges import AnyPath, Integer, Name, Switch
    from recipe.data.pool import Pool

    Matrix = NDArray[np.floating[Any]]

BLOCK = 2**16  # vectors that are in memory in addition to the result


def embed(
    pool: Pool,
    *,
    path: AnyPath,
    column: Name = "vector",
    order: Literal["sources", "pool"] | None = None,
    keys: AnyPath | None = None,
    ids: AnyPath | None = None,
    check: Switch = True,
    seed: Integer = 0,  # noqa: ARG001  every embedder takes a seed
) -> NDArray[np.float16] | NDArray[np.float32]:
    """Read vectors that were computed elsewhere.

    Parameters
    ----------
    pool
        n samples.
    path
        ``.npy``: an (n, d) matrix of floats, in an order that `order`, `keys` or `ids` says. ``.parquet``: a column
        `key` (or, without it, `id`) and a list or array column, in any order; other keys are ignored.
    column
        The column of the Parquet file with the vectors.
    order
        Of a ``.npy`` file. ``"sources"`` or None: one row for each sample in the order in which the sources were read
        (sources in the given order, the files of a folder by name, records in file order); ``"pool"``: in the order of
        keys, as the rows of a `Pool`.
    keys, ids
        A text file with the key (or the id) of each row of the ``.npy`` file, one a line, in place of `order`.
    check
        Whether to see if neighbours by these vectors share words, and more so than in the other order.
    seed
        Any integer; unused.

    Returns
    -------
    ndarray
        (n, d) unit rows, in the order of the pool: float16 for a ``.npy`` file of float16, else float32. The file is
        read in blocks, so that little memory is needed in addition to the result.

    Raises
    ------
    InputError
        If the file is missing or cannot be read.
    AlignmentError
        If it does not have one finite vector for each sample, or two of a key that differ, an id is that of several
        samples, or the vectors fit the texts in the other order only.
    ConfigError
        If its ending is neither ``.npy`` nor ``.parquet``, or two of `keys`, `ids` and `order` are given.

    Warns
    -----
    Unrelated
        If neighbours by these vectors share no more words than samples at random.
    """
    vectors = _read(pool, _known(path), column, order, keys, ids)
    if check:
        by_order = Path(path).suffix == ".npy" and keys is None and ids is None
        check_order(pool.rows, vectors, (order or "sources") if by_order else None, pool.texts_of)
    return vectors


def _read(  # noqa: PLR0917  the knobs of `embed`
    pool: Pool, file: Path, column: str, order: str | None, keys: str | Path | None, ids: str | Path | None
) -> NDArray[np.float16] | NDArray[np.float32]:
    """Return the vector of each sample, in the order of the pool."""
    if file.suffix == ".npy":
        matrix, at = _placed(pool, file, order, keys, ids)
        shape = (len(pool), matrix.shape[1])
        vectors = np.empty(shape, np.float16 if matrix.dtype == np.float16 else np.float32)
        for first in range(0, len(pool), BLOCK):
            vectors[first : first + BLOCK] = _unit(matrix[at[first : first + BLOCK]], file)
        return vectors
    found = _found(file, column, pool)
    missing = pool.rows["key"].filter(pl.Series(found < 0))
    if len(missing):
        raise AlignmentError(
            f"{file}: expected a vector for each of {len(pool)} samples, {len(missing)} keys have none, as {missing[0]}"
        )
    return _gathered(file, column, found)


def some(
    pool: Pool, most: int, *, path: AnyPath, column: Name = "vector"
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Read the vectors of a sample of the pool, from a file that need not have vectors for all.

    Parameters
    ----------
    pool
        n samples.
    most
        Samples wanted, from 1.
    path, column
        As for `embed`, but a ``.parquet`` file may have vectors for only some of the samples.

    Returns
    -------
    rows : ndarray
        (m,) int64, ascending, m at most `most`: drawn by `sample_rows` from the samples that have a vector.
    vectors : ndarray
        (m, d) float32 unit rows of these.

    Raises
    ------
    InputError, AlignmentError, ConfigError
        As for `embed`.
    """
    file = _known(path)
    if file.suffix == ".npy":
        rows = sample_rows(pool, most)
        return rows, _unit(_mapped(file, len(pool))[pool.rows["order"].to_numpy()[rows]], file)
    found = _found(file, column, pool)
    rows = sample_rows(pool, most, among=found >= 0)
    return rows, _gathered(file, column, found[rows])


def _known(path: str | Path) -> Path:
    """Return the path of a file that exists and has a supported ending."""
    file = Path(path)
    if not os.path.isfile(file):  # noqa: PTH113  Path.is_file raises where a name is too long
        raise InputError(f"embed.cached: no file {file!s:.200}; give the path of a .npy or .parquet file")
    if file.suffix not in {".npy", ".parquet"}:
        raise ConfigError(f"embed.cached: expected a .npy or .parquet file, got {file}")
    return file


def _placed(
    pool: Pool, file: Path, order: str | None, keys: str | Path | None, ids: str | Path | None
) -> tuple[Matrix, NDArray[np.int64]]:
    """Map a .npy file, and say which of its rows each sample has."""
    named = [name for name, given in (("keys", keys), ("ids", ids), ("order", order)) if given is not None]
    if len(named) > 1:
        raise ConfigError(f"embed.cached: expected one of keys, ids and order, got {' and '.join(named)}; give one")
    names = ids if keys is None else keys
    if names is None:
        return _mapped(file, len(pool)), rows_by_order(pool.rows, order or "sources")
    try:
        given = lines_of(bytes_of(names).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"embed.cached: cannot read {names!s:.200} ({reason}); write one name a line") from error
    if given and not given[-1]:  # an empty line at the end, as some editors leave
        del given[-1]
    matrix = _mapped(file, len(given))
    return matrix, rows_by_name(pool.rows, "id" if keys is None else "key", given, matrix)


def _mapped(file: Path, n: int) -> Matrix:
    """Memory-map a .npy file of n rows, never a pickled one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of a header before it refuses it
            matrix: Matrix = np.lib.format.open_memmap(file, mode="r")
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"embed.cached: {file} is not a .npy file of numbers ({reason}); write it with numpy.save"
        ) from error
    if matrix.ndim != 2 or len(matrix) != n or matrix.shape[1] == 0 or matrix.dtype.kind != "f":  # noqa: PLR2004  a matrix
        got = f"shape={matrix.shape}, dtype={matrix.dtype}"
        raise AlignmentError(f"{file}: expected vectors of shape ({n}, d) and dtype float32 or float16, got {got}")
    return matrix


def _unit(block: Matrix, file: Path) -> NDArray[np.float32]:
    """Return a block as finite unit rows."""
    with np.errstate(over="ignore"):
        rows = np.array(block, dtype=np.float32)
    bad = int((~np.isfinite(rows).all(axis=1)).sum())
    if bad:
        raise AlignmentError(f"{file}: expected finite vectors, got {bad} rows with NaN or infinity")
    return unit_rows(rows)


def _found(file: Path, column: str, pool: Pool) -> NDArray[np.int64]:
    """Return the first row of a Parquet file with a vector for each sample; -1 if there is none."""
    try:
        whole = pl.scan_parquet(file, glob=False)
        with unprinted():
            schema = whole.collect_schema()
        kind, by = schema.get(column), "key" if "key" in schema or "id" not in schema else "id"
        if not isinstance(kind, pl.List | pl.Array):
            raise pl.exceptions.SchemaError(f"expected lists of numbers, got {kind}")
        with unprinted():
            known = whole.select(pl.col(by).cast(pl.String), empty=pl.col(column).is_null()).collect()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _unreadable(file, column, error) from error
    if by == "id":
        check_ids(pool.rows, known[by])
    known = known.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64)).filter(~pl.col("empty"))
    rows = known["at"].to_numpy()
    check_repeats(pool.rows[by], known[by], lambda some: _gathered(file, column, rows[some]))
    known = known.unique(by, keep="first", maintain_order=True)
    joined = pool.rows.select(by).join(known, on=by, how="left", maintain_order="left")["at"]
    if by == "id" and len(pool) and joined.null_count() == len(pool):
        raise _unreadable(file, column, ValueError("it has no column key, and no id of the pool"))
    return joined.fill_null(-1).to_numpy().copy()


def _gathered(file: Path, column: str, at: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the unit vectors in some rows of a Parquet file, in the order of `at`."""
    vectors: NDArray[np.float32] | None = None
    for first, block in _blocks(file, column):
        rows = np.flatnonzero((at >= first) & (at < first + len(block)))
        if not len(rows):
            continue
        lists = block.gather(at[rows] - first)
        widths = lists.list.len()
        width = int(widths[0]) if vectors is None else vectors.shape[1]
        if widths.min() != width or widths.max() != width or width == 0:
            raise AlignmentError(f"{file}: expected vectors of one length, got {widths.min()!r} to {widths.max()!r}")
        if vectors is None:
            vectors = np.empty((len(at), width), np.float32)
        vectors[rows] = _unit(lists.list.to_array(width).to_numpy(), file)
    return np.zeros((0, 1), np.float32) if vectors is None else vectors


def _blocks(file: Path, column: str) -> Iterator[tuple[int, pl.Series]]:
    """Read a column of a Parquet file in blocks of rows, as lists of float32, each with the number of its first row."""
    whole = pl.scan_parquet(file, glob=False)
    try:
        with unprinted():
            height = whole.select(pl.len()).collect().item()
        for first in range(0, height, BLOCK):
            with unprinted():
                lists = whole.select(column).slice(first, BLOCK).collect()[column]
            yield first, lists.cast(pl.List(pl.Float32))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _unreadable(file, column, error) from error


def _unreadable(file: Path, column: str, error: Exception) -> InputError:
    """Return the error that says why a Parquet file cannot be read."""
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return InputError(f"embed.cached: cannot read key and {column} of {file} ({reason}); give column=...")
