"""Facility location: every sample of the pool should have a similar sample in the mix."""

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

    from recipe.config.ranges import From0, From1, From2, Integer, Ratio, Switch, Weight
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    concepts: Weight = 0.02,
    quality: Mapping[str, Weight] | None = None,
    block: From2 = 2000,
    candidates: Ratio = 2.0,
    reach: From1 | None = None,
    keep: From1 = 16,
    refine: From0 = 0,
    certificate: Switch = True,
    seed: Integer = 0,
) -> Picks:
    """Pick samples greedily by coverage of the pool, coverage of concepts, and quality, under quotas.

    The objective of a mix S, of n eligible samples and U concepts, is::

        1/n  sum_i max_{j in S} cos(i, j)                                   coverage, weight 1
        + concepts * 1/U sum_u sqrt(picked with u / samples with u)         concave: the tenth brings less than the
        first + sum_s quality[s] * mean over S of the sample's rank in score s    modular

    which is monotone and submodular. Greedy selection under quotas reaches at least half of the optimum, and the
    certificate, an upper bound of the optimum for this pool, says how much it reached here. For a pool of one block the
    result is that of naive greedy. A larger one is cut into blocks of similar samples; each block proposes `candidates`
    times its quota, greedily by its own similarities, and one greedy round over all candidates picks the mix, in which
    every sample is compared with the candidates of nearby blocks (GreeDi). If blocks do not contain the neighbours of
    their samples (which is tested on a few samples), a pool of up to 20,000 is solved as one block, and in a larger one
    twice as many candidates are proposed and kept and four times as many compared. Similarities below 0 count as 0, and
    are rounded to multiples of 2**-14, so that all sums and ties are exact; ties go to the smaller key.

    O(n d (block + reach) + n log n) time and O(n keep) memory, plus the vectors of a few blocks at a time.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster`, `concepts` (if weighted) and the scores that `quality` names.
    quotas
        How many of each cell.
    concepts
        Weight of concept coverage, from 0. At 0.02 a mix of 20,000 from 159 K real samples had the ten rarest of the 34
        concepts 1.7 times as often as at 0, at the cost of 5 % of the gain in coverage over a random mix; at 0.1 the
        cost was a quarter.
    quality
        Score to weight, from 0; none by default.
    block
        Samples per block, from 2. Larger blocks are closer to exact greedy, and slower in proportion.
    candidates
        Candidates as a multiple of the quota, from 1.
    reach
        Minimum number of candidates that a sample is compared with, from 1; blocks are added, the nearest first, until
        there are as many. By default 2,400 in a pool of 20,000 to a million, else 1,200.
    keep
        Nearest candidates that a sample keeps in the last round, from 1. Half of the candidates are picked, so the
        probability that none of 16 is picked is negligible.
    refine
        Rounds of swaps after greedy, from 0: a pick is replaced by a sample of its cell if that raises the objective.
        A round takes about twice the time of the selection, and most of the gain of swaps comes in the first.
    certificate
        Whether to compute the objective reached and an upper bound of the optimum, which takes about as long as the
        selection.
    seed
        Any integer: seed for the samples from which fine cells are learned, and for those by which the bound estimates
        the gains in far blocks.

    Returns
    -------
    Picks
        As many rows as the quotas ask for, gains by the terms `coverage`, `concepts` and `quality`, the objective, and
        an upper bound of the objective of any selection under the same quotas. In a pool of one block both are exact.
        In a larger one a sample counts as covered only by picks that it is compared with, so the true objective is not
        smaller; the bound holds for the whole pool, except that the gains in far blocks are estimated from 256 samples
        plus three standard errors (`certify`).

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
        found = ground.solve_all_pairs(chosen) if whole else ground.merge(chosen, width.reach, width.keep)
    picks = chosen[found.picks]
    scale = 1 / (QUANTUM * len(rows))
    value, bound = (x * scale for x in certify(ground, picks, found, block // 2, seed)) if certificate else (None, None)
    return fill_up(Picks(rows[picks], gains_of(ground, found), value, bound), quotas)
