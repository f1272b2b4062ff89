"""Exact duplicates: the same image and the same turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def dedup(pool: Pool) -> NDArray[np.int64]:
    """Find the sample that is kept in place of each one: the first eligible one with the same key; O(n).

    Parameters
    ----------
    pool
        n samples.

    Returns
    -------
    ndarray
        (n,) int64 row of the keeper; the sample's own row if it is kept, or has a problem already.

    Examples
    --------
    >>> from recipe import demo_pool
    >>> pool = demo_pool(images=4)
    >>> keeper = dedup(pool)
    >>> bool((keeper[keeper] == keeper).all())
    True
    """
    n = len(pool)
    keeper = np.arange(n)
    if n < 2:  # noqa: PLR2004  a pair
        return keeper
    key = pool.rows["key"]
    if key.is_sorted():  # as in a pool: equal keys are adjacent
        group = np.cumsum(np.concatenate([[False], (key.slice(1) != key.slice(0, n - 1)).to_numpy()]))
    else:
        group = key.rank("dense").to_numpy() - 1
    eligible = np.flatnonzero(pool.eligible)
    first = np.full(int(group.max()) + 1, n)
    np.minimum.at(first, group[eligible], eligible)
    keeper[eligible] = first[group[eligible]]
    return keeper
