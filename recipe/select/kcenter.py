"""Farthest first: each pick is the sample least like all picks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.blocks import cut_blocks
from recipe.engine import each, single_threaded
from recipe.errors import ConfigError
from recipe.picks import Picks
from recipe.select._disks import outside
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
    outliers: float = 0.0,
    block: int = 2000,
    seed: int = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick farthest-first inside blocks of similar samples, and order the picks of all blocks by their distance.

    Good for outliers, not for coverage: the mean coverage of such a mix may be below that of a random one. Each block
    starts with the sample nearest to its middle and walks through all of its samples under the quotas; what the walk
    orders is then taken by distance, the largest first, under the quotas of the whole pool. Of equal distances the one
    found earlier in its walk goes first, then the smaller key. O(n block d).

    Farthest first takes what is like nothing else before all others: broken and odd samples. With `outliers`, each
    block first seeks disks around its samples, as many as it has picks, that hold all but this share of it. What they leave
    need not be covered, and is picked only where the quotas of a block leave nothing else, after all others.

    In a pool of one block and one cell, every sample is within 2 times of the least possible radius without outliers,
    and all samples but that share within 6 times of the least possible with as many outliers: disks are within 3 times
    of it, and farthest first within 2 of what they hold. Radii are lengths between unit vectors, sqrt(2 - 2 cos), and
    those of more than a right angle count as of one. Under quotas of several cells neither holds.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    quotas
        How many of each cell.
    outliers
        Share of each block, from 0 up to below 1, that need not be covered and is not picked; it may be fewer.
    block
        Samples a block, from 2; a pool of one block is solved as a whole.
    seed
        Unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `distance` is 1 minus the best similarity to the picks of the block
        before it, 0..1.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the pool has no vectors.

    References
    ----------
    Gonzalez 1985, Clustering to minimize the maximum intercluster distance; Sener and Savarese 2018, Active Learning
    for Convolutional Neural Networks: A Core-Set Approach. Outliers: Charikar, Khuller, Mount and Narasimhan 2001,
    Algorithms for Facility Location Problems with Outliers, section 3 (greedy disks, 3 times the least radius), which
    takes the middles of the disks themselves; here they only say what is an outlier, so that the order stays farthest
    first. Malkomes et al. 2015, Fast Distributed k-Center Clustering with Outliers on Massive Data, runs it on samples
    of each part of the data instead of on each part. From memory.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> len(select_mix(demo_pool(images=20), size=10, select={"kcenter": {"outliers": 0.05}}))
    10
    """
    if not 0 <= outliers < 1 or block < 2:  # noqa: PLR2004  a pair
        got = f"outliers={outliers}, block={block}"
        raise ConfigError(f"select.kcenter: expected outliers from 0 to below 1 and block from 2, got {got}")
    if pool.vectors is None:
        raise ConfigError("select.kcenter: expected a pool with vectors; embed it first")
    rows = np.flatnonzero(quotas.cell >= 0)
    vectors = pool.vectors
    blocks = cut_blocks(vectors, pool.rows["cluster"].to_numpy()[rows], most=block, rows=rows)
    supply = np.bincount(quotas.cell[rows], minlength=len(quotas.quota))

    def walk(members: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        points, cell = rows_of(vectors, rows[members]), quotas.cell[rows[members]]
        cells, local, here = np.unique(cell, return_inverse=True, return_counts=True)
        part = np.ceil(quotas.quota[cells] * (here / supply[cells]) - 1e-9).astype(np.int64)
        quanta, odd = quantise(points @ points.T), int(outliers * len(members))
        back = outside(quanta, int(part.sum()), odd) if odd else np.zeros(len(members), np.bool_)
        first = int(np.argmax(points @ points.mean(axis=0) - 2 * back))
        order, distance = farthest_first(quanta, first, local.astype(np.int32), part, back)
        return rows[members[order]], distance, back[order]

    walks = each(walk, blocks, label="select: farthest first")
    found, distance, back = (np.concatenate(told) for told in zip(*walks, strict=True))
    step = np.concatenate([np.arange(len(order)) for order, _, _ in walks])
    order = np.lexsort((found, step, -distance, back))
    far = np.zeros(len(pool))
    far[found] = distance / QUANTUM
    picks = fill_up(Picks(take(found[order], quotas)), quotas)
    return Picks(picks.rows, {"distance": far[picks.rows]})
