"""The fixed sample of a pool that an embedder learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def sample_rows(pool: Pool, size: int, *, among: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Return rows that represent a pool: the first eligible ones of each task, tasks in proportion.

    Rows are in the order of keys, which are uniform hashes, so the first ones are a uniform sample, and the same one
    for any order of files. The shares of tasks are rounded by largest remainders; ties go to the task whose name comes
    first. O(n).

    Parameters
    ----------
    pool
        n samples, with the column `task` or without.
    size
        Rows wanted, from 1; all eligible rows if there are fewer.
    among
        (n,) bool: rows that may be taken; all by default.

    Returns
    -------
    ndarray
        (min(size, eligible),) int64, ascending.
    """
    rows = np.flatnonzero(pool.eligible if among is None else pool.eligible & among)
    if len(rows) <= size or "task" not in pool.rows.columns:
        return rows[:size]
    task = pool.rows["task"].cast(pl.String).gather(rows).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    counts = np.bincount(task)
    share = counts * size / len(rows)
    quota = np.floor(share).astype(np.int64)
    quota[np.argsort(quota - share, kind="stable")[: size - quota.sum()]] += 1
    chosen = [rows[task == t][: quota[t]] for t in np.flatnonzero(quota)]
    return np.sort(np.concatenate(chosen))
