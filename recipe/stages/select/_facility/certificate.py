"""The certificate of a mix: an upper bound of the objective of any selection under the same quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.engine.seed import generator
from recipe.stages.select._facility.tasks import Found, Reach, exceed, per_block
from recipe.stages.select._kernels.lazy_greedy import concept_gains

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.stages.select._facility.ground import Ground

PROBES = 256  # candidates whose gains are computed over all blocks
SURE = 3.0  # standard errors that are added to the estimate from them


def certify(ground: Ground, picks: NDArray[np.int64], found: Found, reach: int, seed: int) -> tuple[int, int]:
    """Return the objective of the picks, and an upper bound for any selection under the quotas, in quanta.

    For any numbers b_i per point, the coverage by a set O is at most the sum of the b_i plus, for each candidate in O,
    the sum of its excesses over them. Here b_i is the coverage of point i by the picks that it is compared with, so
    their sum is at most the coverage by all picks. The excess over points of a candidate's own and near blocks (with
    `reach` points) is computed exactly, and from each cell as many of the largest are added as its quota. The excess
    over points of far blocks is computed for `PROBES` random candidates; its mean over the best share of candidates
    that a selection can take is added for each pick, plus three standard errors. Concave and modular terms are bounded
    like near points; candidates that are already picked add nothing. So the bound is exact for a pool of one block, and
    holds with high probability for a larger one. O(n d (reach + `PROBES`)).

    Parameters
    ----------
    ground
        The ground set.
    picks
        Positions of the picks.
    found
        The result of greedy.
    reach
        Points of the near blocks.
    seed
        Seed of the random candidates.
    """
    sizes = [len(places) for places in ground.blocks]
    near = ground.near(ground.blocks, reach)
    everything = len(near[0]) == len(sizes)
    m = len(ground.rows)
    probes = np.arange(0) if everything else np.sort(generator(seed, "certificate").permutation(m)[:PROBES])
    around = [np.concatenate([ground.blocks[c] for c in near[b]]) for b in range(len(sizes))]
    reaches = [
        Reach(
            ground.rows[places],
            found.best[places],
            ground.rows[np.concatenate([around[b], probes])],
        )
        for b, places in enumerate(ground.blocks)
    ]
    terms = ground.terms
    gain = terms.bonus + concept_gains(terms.concept_start, terms.concepts, terms.worth, found.seen)
    gain[picks] = 0
    far = np.zeros(len(probes))
    for b, more in enumerate(per_block(exceed, ground.vectors, reaches, label="select: certificate")):
        gain[around[b]] += more[: len(around[b])]
        far += np.where(np.isin(ground.home[probes], near[b]), 0, more[len(around[b]) :])
    value = int(found.best.sum(dtype=np.int64)) + int(found.gains[:, 1:].sum())
    size = int(ground.quota.sum())
    return value, value + _largest(ground, gain) + int(np.ceil(size * _mean_of_best(far, size / m)))


def _largest(ground: Ground, gain: NDArray[np.int64]) -> int:
    """Sum the largest gains of each cell, as many as its quota."""
    cell = ground.terms.cell
    order = np.lexsort((-gain, cell))
    first = np.concatenate([[0], np.cumsum(ground.supply)])[:-1]
    rank = np.arange(len(order)) - first[cell[order]]
    return int(gain[order[rank < ground.quota[cell[order]]]].sum())


def _mean_of_best(probes: NDArray[np.float64], share: float) -> float:
    """Bound the mean over the best share of a population, from a random sample.

    For any level t it is at most t plus the mean excess over t divided by the share (Rockafellar and Uryasev 2000).
    """
    if len(probes) == 0:
        return 0.0
    level = float(np.quantile(probes, 1 - share))
    excess = np.maximum(probes - level, 0)
    error = SURE * float(excess.std(ddof=1)) / float(np.sqrt(len(probes))) if len(probes) > 1 else 0.0
    return level + (float(excess.mean()) + error) / share
