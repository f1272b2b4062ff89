"""Exact duplicates: the same image, under any of its names, and the same turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.media import shown
from recipe.io.arrow import take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def dedup(pool: Pool) -> NDArray[np.int64]:
    """Find the sample that is kept in place of each one: the first eligible one with the same image and turns; O(n).

    They have the same key, unless the image has other names (`recipe.data.media.shown`), as COCO's of 2014 and of 2017.

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
    group = _joined(pool, group)
    eligible = np.flatnonzero(pool.eligible)
    first = np.full(int(group.max()) + 1, n)
    np.minimum.at(first, group[eligible], eligible)
    keeper[eligible] = first[group[eligible]]
    return keeper


def _joined(pool: Pool, group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join the groups of samples that say the same of one picture under several names; only their turns are read."""
    named = pl.col("image").is_not_null() & (pl.col("image").n_unique().over("shown") > 1)
    several = pool.rows.select("row", "image", shown()).filter(named)
    if several.is_empty():
        return group
    rows = several["row"].to_numpy().astype(np.int64)
    turns = take(pool.rows, ("turns",), rows)["turns"].list.eval(pl.element().struct.json_encode()).list.join("\n")
    said = several.select("row", "shown", turns=turns, group=pl.Series(group[rows]))
    first = said.select("group", to=pl.col("group").min().over("shown", "turns")).unique()
    joined = np.arange(int(group.max()) + 1)
    joined[first["group"].to_numpy()] = first["to"].to_numpy()
    return joined[group]
