"""Graph cut: samples that are similar to the pool and different from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import single_threaded
from recipe.stages.select._block_walks import Walk, ready, split_into_blocks, walk_blocks
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, quantise
from recipe.stages.select._kernels.penalty import penalised_walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Half, Integer, Ratio
    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.data.vectors import Vectors
    from recipe.stages.select._block_walks import Block

STRIDE = 8192  # rows that are summed at once


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    redundancy: Half = 0.5,
    block: From2 = 2000,
    candidates: Ratio = 2.0,
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick samples greedily by their similarity to the pool minus their similarity to each other, under quotas.

    The objective of a mix S out of n eligible samples V is::

        1/n (sum_{i in V, j in S} s(i, j) - redundancy * sum_{i, j in S} s(i, j)),    s = (1 + cos) / 2

    It is submodular, and monotone if `redundancy` is at most 0.5. The first sum is a product with the sum of all
    vectors. In a pool of one block the second is exact too. A larger one is cut into blocks of similar samples: picks
    of a block are compared one by one, and the picks of other blocks are approximated by the mean sample of each of
    their cells, as many as their share of the quota; the picks are merged by gain. Similarities are rounded to
    multiples of 2**-14, so that ties are exact; they go to the smaller key. Under quotas of one cell the order of a
    pool of one block nests; with more blocks it need not, since the picks of other blocks depend on the size.

    In a mix that is much smaller than its pool, a redundancy of 0.5 hardly spreads the picks, which stay near the mean
    of the pool. At n / (2 k) the mean of a mix of k is drawn to the mean of the pool, as in kernel herding; above that,
    gains below 0 lower the objective, but the quotas are still filled.

    O(n d block) time, and O(block^2) memory per thread.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    quotas
        How many of each cell.
    redundancy
        Weight of similarity among the picks, from 0: the lambda of the references.
    block
        Samples per block, from 2.
    candidates
        Candidates of a block as a multiple of its share of the quota, from 1. With more, dense blocks can give more.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; gains by the terms `representativeness`, 0..1, and `redundancy`, 0 or below.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the pool has no vectors.

    References
    ----------
    Lin and Bilmes 2009, Graph-based submodular selection for extractive summarization; Iyer, Khargoankar, Bilmes and
    Asnani 2021, Submodular Combinatorial Information Measures, for the name and the range in which it is monotone;
    Chen, Welling and Smola 2010, Super-Samples from Kernel Herding. All from memory.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=20), size=10, select="graph_cut")
    >>> bool((mix.picks.gains["redundancy"] <= 0).all())
    True
    """
    vectors = ready("graph_cut", pool, block=block, candidates=candidates, weights={"redundancy": redundancy})
    rows = np.flatnonzero(quotas.cell >= 0)
    supply = np.bincount(quotas.cell[rows], minlength=len(quotas.quota))
    rate = quotas.quota[quotas.cell[rows]] / supply[quotas.cell[rows]]  # how much of each sample is in a mean mix
    everything, mixed = _sums(vectors, rows, rate)

    def walk(current: Block) -> Walk:
        points = rows_of(vectors, current.rows)
        wide = points.astype(np.float64)
        near = rate[current.places]
        far = (quotas.size - near.sum() + wide @ (mixed - near @ wide)) / 2  # similarity to a mean mix of other blocks
        drift = np.maximum(np.rint(far / current.expected * QUANTUM), 0)
        worth = np.rint((len(rows) + wide @ everything) / 2 * QUANTUM)
        quanta = quantise((points @ points.T + 1) / 2)
        own = worth - redundancy * np.diag(quanta).astype(np.float64)
        order, total = penalised_walk(quanta, own, 2.0 * redundancy, True, drift, *current.limits)
        terms = np.stack([worth[order], total - worth[order]], axis=1)
        return Walk(order, total, terms / (QUANTUM * len(rows)))

    blocks = split_into_blocks(pool, quotas, block=block, candidates=candidates)
    return walk_blocks(blocks, walk, quotas, ("representativeness", "redundancy"), label="select: graph cut")


def _sums(
    vectors: Vectors, rows: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the plain and the weighted sum of some rows, (d,) float64 each, stride by stride in a fixed order."""
    plain, weighted = np.zeros(vectors.shape[1]), np.zeros(vectors.shape[1])
    for first in range(0, len(rows), STRIDE):
        points = rows_of(vectors, rows[first : first + STRIDE]).astype(np.float64)
        plain += points.sum(axis=0)
        weighted += weight[first : first + STRIDE] @ points
    return plain, weighted
