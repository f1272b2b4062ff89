"""Farthest first: each pick is the sample least like all picks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.data.picks import Picks
from recipe.data.vectors import rows_of
from recipe.engine import each, single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._image_limits import fill_up, take
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, quantise
from recipe.stages.select._kernels.sparse import farthest_first
from recipe.stages.select._outliers import drop_outliers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


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

    Farthest first takes what is like nothing else before all others: odd and broken samples. With `outliers` this share
    of the samples is left out beforehand, neither picked nor covered, but where a quota needs them: those whose fair
    radius is the largest, the distance within which a sample of a pool of n has n / k samples for a mix of k. In a pool
    of one block and one cell every other sample then lies within 2 R of a pick, where R is the largest fair radius
    among them: k + 1 samples farther than that from each other would have disks without a common sample, and more than
    n in them. It also lies within 2 times of the least radius by which the samples that are not left out can be
    covered. Radii are lengths between unit vectors, sqrt(2 - 2 cos), and one of more than a right angle counts as one
    of that. In blocks, or under quotas of several cells, neither holds.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    quotas
        How many of each cell.
    outliers
        Share of the samples that need not be covered, from 0 to below 1.
    block
        Samples a block, from 2; a pool of one block is solved as a whole.
    seed
        Any integer; unused.

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
    for Convolutional Neural Networks: A Core-Set Approach. Outliers: the problem is that of Charikar, Khuller, Mount
    and Narasimhan 2001, Algorithms for Facility Location Problems with Outliers, and Malkomes et al. 2015, Fast
    Distributed k-Center Clustering with Outliers on Massive Data. Their disks of one radius tell outliers apart where
    picks are few; in a mix of a fifth of the pool each odd sample would have a disk of its own. The fair radius is that
    of Jung, Kannan and Lutz 2020, Service in Your Neighborhood: Fairness in Center Location. From memory.

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
