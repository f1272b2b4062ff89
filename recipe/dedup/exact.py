"""Exact duplicates: the same image and the same turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool


def dedup(pool: Pool) -> NDArray[np.int64]:
    """Find for each sample the one that is kept in its place: the first eligible one with the same key; O(n).

    Parameters
    ----------
    pool
        n samples.

    Returns
    -------
    ndarray
        (n,) int64 row of the keeper; its own row where a sample is kept, or has a problem already.

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
    # Rows stand in key order: equal keys are neighbours, and a group begins where a key differs from the one before.
    key = pool.rows["key"]
    group = np.cumsum(np.concatenate([[False], (key.slice(1) != key.slice(0, n - 1)).to_numpy()]))
    eligible = np.flatnonzero(pool.eligible)
    begins = np.concatenate([[True], np.diff(group[eligible]) > 0])[: len(eligible)]
    keeper[eligible] = eligible[begins][np.cumsum(begins) - 1]
    return keeper
