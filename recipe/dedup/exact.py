"""Exact duplicates: the same image and the same turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
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
    row = pl.col("row")
    keeper = pl.when(pl.col("problem").is_null()).then(row.filter(pl.col("problem").is_null()).min().over("key"))
    return pool.rows.select(keeper.otherwise(row).cast(pl.Int64)).to_series().to_numpy()
