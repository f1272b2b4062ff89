"""Farthest first: each pick is the sample least similar to all earlier picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.data.picks import Picks
from recipe.data.vectors import rows_of, unit
from recipe.engine import each, single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._image_limits import fill_up, take
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, quantise
from recipe.stages.select._kernels.sparse import farthest_first
from recipe.stages.select._outliers import drop_outliers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Integer, ShareBelow1
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    outliers: ShareBelow1 = 0.0,
    block: From2 = 2000,
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick farthest-first inside blocks of similar samples, and merge the picks of all blocks by distance.

    Good for outliers, not for coverage: the mean coverage of such a mix may be below that of a random one. Each block
    starts with the sample closest to its mean and orders its samples farthest-first under its quotas; the picks of all
    blocks are then taken by distance, the largest first, under the quotas of the whole pool. Of equal distances the one
    found earlier in its block goes first, then the smaller key. O(n block d).

    Farthest first prefers samples that are unlike all others, such as odd and broken ones. With `outliers` this share
    of the samples is left out, neither picked nor covered, unless a quota needs them: those with the largest fair
    radius, the distance within which a sample of a pool of n has n / k samples for a mix of k. In a pool of one block
    and one cell every other sample is then within 2 R of a pick, where R is the largest fair radius among them: k + 1
    samples farther apart than that would have disjoint disks with more than n samples in total. It is also within 2
    times the smallest radius by which k picks can cover the samples that are not left out. Radii are distances between
    unit vectors, sqrt(2 - 2 cos), and angles above a right angle count as a right angle. With several blocks or cells
    neither bound holds.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    quotas
        How many of each cell.
    outliers
        Share of the samples that need not be covered, from 0 to below 1.
    block
        Samples per block, from 2; a pool of one block is solved as a whole.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `distance` is 1 minus the best similarity to earlier picks of the
        block, 0..1.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the pool has no vectors.

    References
    ----------
    Gonzalez 1985, Clustering to minimize the maximum intercluster distance; Sener and Savarese 2018, Active Learning
    for Convolutional Neural Networks: A Core-Set Approach. Outliers: the problem is that of Charikar, Khuller, Mount
    and Narasimhan 2001, Algorithms for Facility Location Problems with Outliers, and Malkomes et al. 2015, Fast
    Distributed k-Center Clustering with Outliers on Massive Data. Their disks of one radius find outliers if there are
    few picks; in a mix of a fifth of the pool each odd sample would have its own disk. The fair radius is that of Jung,
    Kannan and Lutz 2020, Service in Your Neighborhood: Fairness in Center Location. From memory.

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
    cluster = pool.rows["cluster"].to_numpy()
    blocks = cut_blocks(vectors, cluster[rows], most=block, rows=rows)
    if outliers:
        rows = drop_outliers(vectors, rows, blocks, quotas, outliers)
        blocks = cut_blocks(vectors, cluster[rows], most=block, rows=rows)
    supply = np.bincount(quotas.cell[rows], minlength=len(quotas.quota))

    def walk(members: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        points, cell = rows_of(vectors, rows[members]), quotas.cell[rows[members]]
        cells, local, counts = np.unique(cell, return_inverse=True, return_counts=True)
        quota = np.ceil(quotas.quota[cells] * (counts / supply[cells]) - 1e-9).astype(np.int64)
        first = int(np.argmax(points @ unit(points.mean(axis=0, keepdims=True))[0]))
        order, distance = farthest_first(quantise(points @ points.T), first, local.astype(np.int32), quota)
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
