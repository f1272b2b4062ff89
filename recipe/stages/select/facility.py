"""Facility location: every sample of the pool should have a picked sample like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.picks import Picks
from recipe.engine import single_threaded
from recipe.stages.select._facility.certificate import certify
from recipe.stages.select._facility.refine import refine as swap_rounds
from recipe.stages.select._facility.solve import checked, gains_of, lay_ground, solve
from recipe.stages.select._facility.terms import weigh_terms
from recipe.stages.select._image_limits import fill_up
from recipe.stages.select._kernels.lazy_greedy import QUANTUM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    concepts: float = 0.02,
    quality: Mapping[str, float] | None = None,
    block: int = 2000,
    candidates: float = 2.0,
    reach: int | None = None,
    keep: int = 16,
    refine: int = 0,
    certificate: bool = True,
    seed: int = 0,
) -> Picks:
    """Pick samples greedily by coverage of the pool, coverage of concepts, and quality, under quotas.

    The objective of a mix S, of n eligible samples and U concepts, is::

        1/n  sum_i max_{j in S} cos(i, j)                                   coverage, weight 1
        + concepts * 1/U sum_u sqrt(picked with u / samples with u)         concave: the tenth brings less than the
        first + sum_s quality[s] * mean over S of the sample's rank in score s    modular

    which is monotone and submodular; greedy under a partition reaches half of the optimum at worst, and the certificate
    says how much it reached here. A pool of one block is solved exactly as naive greedy would. A larger one is
    cut into blocks of similar samples; each block proposes `candidates` times its quota, greedily by its own
    similarities, and one greedy round over all candidates picks the mix, where every sample sees the candidates of the
    blocks near it (GreeDi). Where samples have no neighbourhoods (probes find nearer ones among strangers than in their
    block) a pool of up to 20,000 is solved as one block, and in a larger one twice as much is proposed, kept and
    four times as much seen. Similarities below 0 count as 0, and are held in steps of 2**-14, so that all sums are
    exact and ties, which go to the smaller key, are real ties.

    O(n d (block + reach) + n log n) time and O(n keep) memory, of the vectors only a few blocks at a time.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster`, `concepts` (if weighted) and the scores that `quality` names.
    quotas
        How many of each cell.
    concepts
        Weight of concept coverage, from 0. At 0.02 a mix of 20,000 from 159 K real samples held the ten rarest of the
        34 concepts 1.7 times as often as at 0, for 5 % of what coverage gains over chance; at 0.1 that lost a quarter.
    quality
        Score to weight, from 0; nothing by default.
    block
        Points a block, from 2. Larger is nearer to exact greedy, and slower in proportion.
    candidates
        Candidates a quota, from 1.
    reach
        Candidates that a sample sees at least, from 1; blocks are added, the nearest first, until there are as many.
        By default 2,400 in a pool of 20,000 to a million, else 1,200.
    keep
        Nearest candidates that a sample keeps in the last round, from 1. Half of the candidates are picked, so that the
        chance that none of 16 is there is nil.
    refine
        Rounds of swaps after greedy, from 0: a pick gives its place to a sample of its cell that raises the objective.
        A round takes about twice the time of the selection, and most of what swaps gain comes with the first.
    certificate
        Whether to compute the objective reached and its upper bound, which takes about as long as the selection.
    seed
        Any integer: draws the samples that fine cells are learned from, and those that judge far blocks for the bound.

    Returns
    -------
    Picks
        As many rows as the quotas ask for, gains by the terms `coverage`, `concepts` and `quality`, the objective and
        an upper bound of it. In a pool of one block both are exact. In a larger one the objective counts a sample as
        covered only by picks that it sees, so that the true one is no less; the bound holds for the whole pool, but
        for what far blocks might add, which is estimated from 256 samples plus three standard errors (`certify`).

    Raises
    ------
    ConfigError
        If a weight is negative or a knob below its range.

    References
    ----------
    Nemhauser, Wolsey and Fisher 1978, An analysis of approximations for maximizing submodular set functions; Minoux
    1978, Accelerated greedy algorithms; Mirzasoleiman et al. 2013, Distributed Submodular Maximization (GreeDi); Lin
    and Bilmes 2011, A Class of Submodular Functions for Document Summarization, section 4, for the concave term.
    """
    weights, wanted = {"concepts": concepts, **(quality or {})}, (candidates, reach, keep)
    vectors = checked("facility", pool, weights=weights, width=wanted, block=block, refine=refine)
    rows = np.flatnonzero(quotas.cell >= 0)
    terms = weigh_terms(pool, rows, quotas, concepts=concepts, quality=quality or {})
    ground, width = lay_ground(pool, vectors, quotas=quotas, terms=terms, width=wanted, block=block, seed=seed)
    chosen, found = solve(ground, width)
    if refine:
        chosen = swap_rounds(ground, chosen[found.picks], refine, width.reach)
        whole = len(ground.blocks) == 1
        found = ground.whole(chosen) if whole else ground.merge(chosen, width.reach, width.keep)
    picks = chosen[found.picks]
    scale = 1 / (QUANTUM * len(rows))
    value, bound = (x * scale for x in certify(ground, picks, found, block // 2, seed)) if certificate else (None, None)
    return fill_up(Picks(rows[picks], gains_of(ground, found), value, bound), quotas)
