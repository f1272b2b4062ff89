"""Farthest first: each pick is the sample least like all picks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.blocks import cut_blocks
from recipe.engine import each, single_threaded
from recipe.errors import ConfigError
from recipe.picks import Picks
from recipe.select._fill import fill_up, take
from recipe.select._kernels import QUANTUM, quantise
from recipe.select._sparse import farthest_first
from recipe.vectors import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool
    from recipe.quotas import Quotas


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    block: int = 2000,
    seed: int = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick farthest-first inside blocks of similar samples, and order the picks of all blocks by their distance.

    Good for outliers, not for coverage: the mean coverage of such a mix may be below that of a random one. Each block
    starts with the sample nearest to its middle and walks through all of its samples under the quotas; what the walk
    orders is then taken by distance, the largest first, under the quotas of the whole pool. Of equal distances the one
    found earlier in its walk goes first, then the smaller key. O(n block d).

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    quotas
        How many of each cell.
    block
        Samples a block, from 2; a pool of one block is solved as a whole.
    seed
        Unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `distance` is 1 minus the best similarity to the picks of the block
        before it, 0..1.

    References
    ----------
    Gonzalez 1985, Clustering to minimize the maximum intercluster distance; Sener and Savarese 2018, Active Learning
    for Convolutional Neural Networks: A Core-Set Approach.
    """
    if pool.vectors is None:
        raise ConfigError("select.kcenter: expected a pool with vectors; embed it first")
    rows = np.flatnonzero(quotas.cell >= 0)
    vectors = pool.vectors
    blocks = cut_blocks(vectors, pool.rows["cluster"].to_numpy()[rows], most=block, rows=rows)
    supply = np.bincount(quotas.cell[rows], minlength=len(quotas.quota))

    def walk(members: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        points, cell = rows_of(vectors, rows[members]), quotas.cell[rows[members]]
        cells, local, here = np.unique(cell, return_inverse=True, return_counts=True)
        part = np.ceil(quotas.quota[cells] * (here / supply[cells]) - 1e-9).astype(np.int64)
        first = int(np.argmax(points @ points.mean(axis=0)))
        order, distance = farthest_first(quantise(points @ points.T), first, local.astype(np.int32), part)
        return rows[members[order]], distance

    walks = each(walk, blocks, label="select: farthest first")
    found = np.concatenate([order for order, _ in walks])
    distance = np.concatenate([far for _, far in walks])
    step = np.concatenate([np.arange(len(order)) for order, _ in walks])
    order = np.lexsort((found, step, -distance))
    far = np.zeros(len(pool))
    far[found] = distance / QUANTUM
    picks = fill_up(Picks(take(found[order], quotas)), quotas)
    return Picks(picks.rows, {"distance": far[picks.rows]})
