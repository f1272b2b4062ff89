"""Determinantal point process: the mix whose samples span the largest volume, scaled by their quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.neighbours import cosines, tile_of
from recipe.engine import single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._block_walks import Walk, ready, split_into_blocks, walk_blocks
from recipe.stages.select._kernels.lazy_greedy import QUANTUM
from recipe.stages.select._kernels.volume import volume_walk
from recipe.stages.select._worth import worth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.config.ranges import From2, Integer, Positive, Ratio, Similarity, Weight
    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.stages.select._block_walks import Block


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    by: Mapping[str, Weight] | None = None,
    width: Positive = 0.25,
    ridge: Similarity = 1e-3,
    block: From2 = 2000,
    candidates: Ratio = 1.0,
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick samples greedily towards the most probable set of a determinantal point process, under quotas.

    The objective of a mix S is::

        log det K_S + sum_{j in S} sum_s by[s] * rank of j in score s (0..1)
        K(i, j) = exp((cos(i, j) - 1) / width) / (1 + ridge) for two samples, 1 for one

    so each pick is the sample with the largest remainder after projection onto the picks so far. The kernel is Gaussian
    in the distance of the vectors: a kernel of plain cosines has rank d, and after d picks all other samples would have
    no volume left. `ridge` is the share of noise in it, and bounds the cost of a duplicate of a pick: log(ridge).

    For a pool of one block the result is that of naive greedy. A larger one is cut into blocks of similar samples, and
    similarity to picks of another block counts as 0: each block picks its share of each quota, and the picks are merged
    by gain. Gains are rounded to multiples of 2**-14, so that ties are exact; they go to the smaller key. Under quotas
    of one cell the order of a pool of one block nests; with more blocks it need not, since in a larger mix each block
    picks more.

    O(n d block + n q^2) time at worst for q picks per block, of which lazy evaluation skips much, and O(block (block +
    q)) memory per thread.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster` and the scores that `by` names.
    quotas
        How many of each cell.
    by
        Score to weight, from 0; none by default. At a weight of 1, the step from the worst rank to the best makes up
        for a factor of e in volume.
    width
        Difference of cosines over which the kernel falls by a factor of e, above 0. If it is so small that no two
        samples are similar, all have the same gain; if all are similar, the volume is noise.
    ridge
        Share of noise in the kernel, above 0, up to 1; a duplicate of a pick costs its logarithm.
    block
        Samples per block, from 2.
    candidates
        Candidates of a block as a multiple of its share of the quota, from 1; time grows with its square.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `volume` is the growth of log det K, 0 or below, and `quality`.

    Raises
    ------
    ConfigError
        If a knob is out of its range, a score is unknown, or the pool has no vectors.

    References
    ----------
    Chen, Zhang and Zhou 2018, Fast Greedy MAP Inference for Determinantal Point Process to Improve Recommendation
    Diversity, NeurIPS, algorithm 1: the incremental factor. There the kernel is linear and greedy stops when no volume
    is left; here the quotas are always filled. Hemmi, Oki, Sakaue, Fujii and Iwata 2022, Lazy and Fast Greedy MAP
    Inference for Determinantal Point Process, NeurIPS: lazy rows of the factor. From memory.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=20), size=10, select={"dpp": {"by": {"length": 0.5}}})
    >>> bool((mix.picks.gains["volume"] <= 0).all())
    True
    """
    vectors = ready("dpp", pool, block=block, candidates=candidates, weights=by or {})
    if not (width > 0 and 0 < ridge <= 1):
        raise ConfigError(f"select.dpp: expected width above 0 and ridge in (0, 1], got width={width}, ridge={ridge}")
    rows = np.flatnonzero(quotas.cell >= 0)
    bonus = np.rint(QUANTUM * worth_of(pool, rows, by, "select.dpp: by")) if by else np.zeros(len(rows))

    def walk(current: Block) -> Walk:
        points, own = tile_of(vectors, current.rows), bonus[current.places]
        order, total = volume_walk(cosines(points, points), own, float(width), float(ridge), *current.limits)
        return Walk(order, total, np.stack([total - own[order], own[order]], axis=1) / QUANTUM)

    blocks = split_into_blocks(pool, quotas, block=block, candidates=candidates)
    return walk_blocks(blocks, walk, quotas, ("volume", "quality"), label="select: volume")
