"""The embedding of a pool: a matrix in memory, or a float16 file of which only the rows in use are read.

All that compares vectors takes them from `rows_of`, or as means from `unit`: their coordinates are whole multiples of
2**-11. A product of two is then a multiple of 2**-22, and a sum of such products, of which no part is above 4 for unit
rows, is a float32 without rounding. So the order in which BLAS adds, which depends on the processor, changes nothing.
"""

from __future__ import annotations

import mmap
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recipe.errors import AlignmentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float16] | NDArray[np.float32]

SNAP = np.float32(1.5 * 2**12)  # float32 numbers near it are the multiples of 2**-11


class Stored(NamedTuple):
    """The file of a matrix, for another process to open."""

    path: str


def rows_of(vectors: Vectors, rows: NDArray[np.integer[Any]] | slice) -> NDArray[np.float32]:
    """Return some rows as a contiguous float32 block, rounded to multiples of 2**-11; O(m d).

    Parameters
    ----------
    vectors
        (n, d) float16 or float32, in memory or mapped from a file.
    rows
        m row numbers, or a slice.

    Returns
    -------
    ndarray
        (m, d) float32, C order, in memory.

    Examples
    --------
    >>> rows_of(np.eye(3, dtype=np.float16), np.array([2])).tolist()
    [[0.0, 0.0, 1.0]]
    >>> (rows_of(np.array([[0.6, 0.8]], dtype=np.float32), slice(1)) * 2**11).tolist()
    [[1229.0, 1638.0]]
    """
    return _snapped(np.array(np.asarray(vectors)[rows], dtype=np.float32, order="C"))


def unit(sums: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Scale rows to length 1 and round them to multiples of 2**-11, so that they can be compared; zeros stay.

    Parameters
    ----------
    sums
        (m, d) sums or means of rows from `rows_of`.

    Returns
    -------
    ndarray
        (m, d) float32.

    Examples
    --------
    >>> unit(np.array([[0.0, 5.0], [0.0, 0.0]])).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    length = np.linalg.norm(sums.astype(np.float64), axis=1, keepdims=True)
    return _snapped((sums / np.where(length == 0, 1, length)).astype(np.float32))


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row to length one in place; a zero row becomes the first unit vector."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))  # squares of float32 may overflow
    empty = length == 0
    vectors[empty, 0] = 1
    vectors /= np.where(empty, 1, length)[:, None]
    return vectors


def _snapped(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to multiples of 2**-11, in place."""
    points += SNAP
    points -= SNAP
    return points


def stored(vectors: Vectors) -> Vectors | Stored:
    """Return what to send to another process in place of a matrix: the name of its file, or itself if it has none."""
    if isinstance(vectors, np.memmap) and vectors.filename is not None:
        return Stored(str(vectors.filename))
    return vectors


def opened(where: Vectors | Stored) -> Vectors:
    """Return the matrix of a `stored` one."""
    return _mapped(where.path) if isinstance(where, Stored) else where


def release(vectors: Vectors | None) -> None:
    """Release the pages of a mapped matrix to the system after a stage; they are read again on use."""
    mapping = getattr(vectors, "_mmap", None)
    if mapping is not None and hasattr(mapping, "madvise"):
        mapping.madvise(mmap.MADV_DONTNEED)


@lru_cache(maxsize=1)
def _mapped(path: str) -> Vectors:
    """Map a .npy file, once in each process."""
    matrix: Vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    return matrix


def check_vectors(vectors: Any, n: int) -> None:
    """Raise unless the matrix has n finite rows of floats. Values of a mapped file are not read.

    Parameters
    ----------
    vectors
        The embedding.
    n
        How many samples there are.

    Raises
    ------
    AlignmentError
        If it is not a finite (n, d) float16 or float32 matrix.
    """
    if not isinstance(vectors, np.ndarray):
        what = "expected vectors as a NumPy array of shape (n, d) and dtype float32 or float16"
        raise AlignmentError(f"{what}, got {type(vectors).__name__}; give np.asarray(vectors, np.float32)")
    floats = vectors.dtype in (np.float16, np.float32)
    if vectors.ndim != 2 or len(vectors) != n or vectors.shape[1] == 0 or not floats:  # noqa: PLR2004  a matrix
        got = f"shape={vectors.shape}, dtype={vectors.dtype}"
        raise AlignmentError(f"expected vectors of shape ({n}, d) and dtype float32 or float16, got {got}")
    bad = 0 if isinstance(vectors, np.memmap) else int((~np.isfinite(vectors).all(axis=1)).sum())
    if bad:
        raise AlignmentError(f"expected finite vectors, got {bad} rows with NaN or infinity")
