"""Maximal marginal relevance: each pick is relevant, and different from the earlier picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._block_walks import Walk, ready, split_into_blocks, walk_blocks
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, quantise
from recipe.stages.select._kernels.penalty import penalised_walk
from recipe.stages.select._worth import worth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.config.ranges import From2, Integer, Ratio, Share, Weight
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
    diversity: Share = 0.5,
    block: From2 = 2000,
    candidates: Ratio = 2.0,
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick at each step the sample with the best trade-off between relevance and novelty, under quotas.

    The next pick is the j with the largest::

        (1 - diversity) * relevance(j) - diversity * max_{i in S} cos(i, j)

    where S is the set of picks so far. For a pool of one block this is exact. A larger one is cut into blocks of
    similar samples, and similarity to picks of another block counts as 0: each block picks `candidates` times its share
    of each quota, and the picks are merged by the value above. Similarities below 0 count as 0, and are rounded to
    multiples of 2**-14, so that ties are exact; they go to the smaller key. Under quotas of one cell the order of a
    pool of one block nests; with more blocks it need not, since in a larger mix each block picks more.

    O(n d block) time, and O(block^2) memory per thread.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster` and the scores that `by` names.
    quotas
        How many of each cell.
    by
        Score to weight, from 0. Relevance is the weighted mean of the ranks of these scores, 0..1; by default all
        samples are equally relevant.
    diversity
        0..1: 1 minus the lambda of the paper. 0 is the order by relevance, 1 is farthest first.
    block
        Samples per block, from 2.
    candidates
        Candidates of a block as a multiple of its share of the quota, from 1. With more, relevant blocks can give more.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `relevance` is 0..1, `redundancy` 0 or below, both weighted.

    Raises
    ------
    ConfigError
        If a knob is out of its range, a score is unknown, or the pool has no vectors.

    References
    ----------
    Carbonell and Goldstein 1998, The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries, SIGIR, section 2. There relevance is similarity to a query, and one short list is reranked.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=20), size=10, select={"mmr": {"by": {"length": 1.0}}})
    >>> len(mix)
    10
    """
    weights = by or {}
    vectors = ready("mmr", pool, block=block, candidates=candidates, weights=weights)
    if not 0 <= diversity <= 1:
        raise ConfigError(f"select.mmr: expected diversity from 0 to 1, got diversity={diversity}")
    rows = np.flatnonzero(quotas.cell >= 0)
    relevance = np.zeros(len(rows))
    if weights:
        relevance = worth_of(pool, rows, weights, "select.mmr: by") / (sum(weights.values()) or 1)
    worth = np.rint((1 - diversity) * QUANTUM * relevance)

    def walk(current: Block) -> Walk:
        points, own = rows_of(vectors, current.rows), worth[current.places]
        quanta = quantise(points @ points.T)
        order, total = penalised_walk(quanta, own, float(diversity), False, np.zeros(len(own)), *current.limits)
        return Walk(order, total, np.stack([own[order], total - own[order]], axis=1) / QUANTUM)

    blocks = split_into_blocks(pool, quotas, block=block, candidates=candidates)
    return walk_blocks(blocks, walk, quotas, ("relevance", "redundancy"), label="select: marginal relevance")
