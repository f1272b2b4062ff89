"""Leave out outliers: samples far from all others, which need not be covered and are not picked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import each
from recipe.stages.select._kernels.lazy_greedy import quantise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.quotas import Quotas
    from recipe.data.vectors import Vectors


def drop_outliers(
    vectors: Vectors, rows: NDArray[np.int64], blocks: list[NDArray[np.int64]], quotas: Quotas, share: float
) -> NDArray[np.int64]:
    """Return rows without the share of them that has the largest fair radius, as far as the quotas allow.

    The fair radius of a sample, for a mix of k out of n, is the distance within which there are n / k samples,
    including itself: on average one of them is picked. Of equal radii the larger key is dropped first. O(n block).

    Parameters
    ----------
    vectors
        (n, d) float32 or float16 unit rows.
    rows
        (m,) rows of it that may be picked.
    blocks
        Positions in `rows` of each block; samples are compared only inside their block.
    quotas
        How many of each cell.
    share
        Share of the rows to drop, 0..1.

    Returns
    -------
    ndarray
        Rows that are left, ascending; of each cell at least its quota.
    """
    count = max(2, -(-len(rows) // max(1, quotas.size)))
    similarity = np.empty(len(rows), np.int16)
    found = each(
        partial(_at_fair_radius, vectors, count), [rows[places] for places in blocks], label="select: outliers"
    )
    similarity[np.concatenate(blocks)] = np.concatenate(found)
    order = np.lexsort((-np.arange(len(rows)), similarity))[: int(share * len(rows))]
    cell = quotas.cell[rows]
    spare = np.bincount(cell, minlength=len(quotas.quota)) - quotas.quota
    by_cell = order[np.argsort(cell[order], kind="stable")]
    first = np.searchsorted(cell[by_cell], cell[by_cell])
    kept = np.ones(len(rows), np.bool_)
    kept[by_cell[np.arange(len(by_cell)) - first < spare[cell[by_cell]]]] = False
    return rows[kept]


def _at_fair_radius(vectors: Vectors, count: int, rows: NDArray[np.int64]) -> NDArray[np.int16]:
    """Return the similarity of each sample of a block to its `count`-th nearest, starting with itself, in quanta."""
    points = rows_of(vectors, rows)
    at = max(0, len(rows) - count)
    return np.asarray(np.partition(quantise(points @ points.T), at, axis=1)[:, at])
