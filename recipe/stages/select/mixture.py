"""Submodular mixture: a weighted sum of terms, each with a share of the objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._block_walks import Walk, ready, split_into_blocks, walk_blocks
from recipe.stages.select._facility.terms import weigh_terms
from recipe.stages.select._kernels.blend import blend_walk
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, quantise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Half, Integer, Positive, Ratio, Weight
    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.stages.select._block_walks import Block
    from recipe.stages.select._facility.terms import Terms

TERMS = ("coverage", "saturated", "graph_cut", "concepts", "quality")
MONOTONE = 0.5  # largest redundancy at which a graph cut is monotone


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    coverage: Weight = 1.0,
    saturated: Weight = 1.0,
    graph_cut: Weight = 0.0,
    concepts: Weight = 0.02,
    quality: Mapping[str, Weight] | None = None,
    saturation: Positive = 1.0,
    redundancy: Half = 0.5,
    block: From2 = 2000,
    candidates: Ratio = 2.0,
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick samples greedily by a weighted sum of submodular terms, under quotas.

    Weights are divided by their sum. The terms of a mix S of k out of n samples, with s = max(cos, 0), are::

        coverage    1/n sum_i max_{j in S} s(i, j)                        as `facility`
        saturated   sum_i min(sum_{j in S} s(i, j), c_i) / sum_i c_i,     c_i = saturation * k/n * sum_j s(i, j)
        graph_cut   (sum_i sum_{j in S} s(i, j) - redundancy * sum_{i, j in S} s(i, j)) / (k * mean_j sum_i s(i, j))
        concepts    1/U sum_u sqrt(picked with u / samples with u)        as `facility`
        quality     mean over S of the rank of its samples in a score     one weight a score

    Saturated coverage is 1 when every sample has its fair share of similarity to the picks, that of a mean mix;
    coverage needs only one similar pick. The graph cut of a mean mix is about 1, and it prefers dense regions. Each
    term is monotone and submodular, so greedy reaches at least half of the optimum under quotas, and 1 - 1/e of it
    under a single one.

    For a pool of one block the result is that of naive greedy; with `coverage` alone it is that of `facility`. A larger
    one is cut into blocks of similar samples: similarity to samples of another block counts as 0, each block is
    weighted by its number of samples, and the number of picks with a concept is assumed to grow equally in all blocks.
    Each block picks `candidates` times its share of each quota, and the picks are merged by gain. Similarities are
    rounded to multiples of 2**-14, so that ties are exact; they go to the smaller key. The order does not nest, since
    fair shares grow with the size; without `saturated`, that of a pool of one block and one cell does, except for
    `quality`, whose weight per sample falls with the size.

    O(n block (d + q)) time at worst for q picks per block, of which lazy evaluation skips much, and O(block^2) memory
    per thread.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster`, `concepts` (if weighted) and the scores that `quality` names.
    quotas
        How many of each cell.
    coverage, saturated, graph_cut, concepts
        Weights, from 0. The default for concepts is that of `facility`; the others are simple choices, not learned.
    quality
        Score to weight, from 0; none by default.
    saturation
        Fair shares of similarity at which a sample counts as fully covered, above 0.
    redundancy
        Weight of similarity among picks in the graph cut, 0..0.5; above 0.5 it would not be monotone.
    block
        Samples per block, from 2.
    candidates
        Candidates of a block as a multiple of its share of the quota, from 1.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for, and gains by the five terms, weighted.

    Raises
    ------
    ConfigError
        If a knob is out of its range, all weights are 0, a score is unknown, or the pool has no vectors.

    References
    ----------
    Lin and Bilmes 2012, Learning Mixtures of Submodular Shells with Application to Document Summarization: the weighted
    sum, whose weights are learned there and stated here. Lin and Bilmes 2011, A Class of Submodular Functions for
    Document Summarization, section 4: saturated coverage, there with a cap tuned on summaries, and the concave term.
    Iyer et al. 2021, Submodular Combinatorial Information Measures: graph cut. From memory.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=20), size=10, select={"mixture": {"coverage": 3, "graph_cut": 1}})
    >>> sorted(mix.picks.gains)
    ['concepts', 'coverage', 'graph_cut', 'quality', 'saturated']
    """
    of_terms = {"coverage": coverage, "saturated": saturated, "graph_cut": graph_cut, "concepts": concepts}
    weights = of_terms | dict(quality or {})
    vectors = ready("mixture", pool, block=block, candidates=candidates, weights=weights)
    whole = sum(weights.values())
    if not (whole > 0 and saturation > 0 and 0 <= redundancy <= MONOTONE):
        got = f"weights={weights}, saturation={saturation}, redundancy={redundancy}"
        raise ConfigError(
            f"select.mixture: expected a weight and saturation above 0, and redundancy from 0 to 0.5, got {got}"
        )
    rows = np.flatnonzero(quotas.cell >= 0)
    shares = {name: weight / whole for name, weight in (quality or {}).items()}
    terms = weigh_terms(pool, rows, quotas, concepts=concepts / whole, quality=shares)
    mentions = np.bincount(terms.concepts, minlength=len(terms.worth))

    def walk(current: Block) -> Walk:
        points = rows_of(vectors, current.rows)
        quanta = quantise(points @ points.T)
        summed = quanta.sum(axis=1, dtype=np.int64)
        size = len(summed)
        cap = np.ceil(summed * min(1.0, saturation * current.expected / size)).astype(np.int64)
        unit = size * QUANTUM / whole  # weight of the block if it were all of the objective
        saturating = saturated * unit / float(cap.sum())
        cutting = graph_cut * unit / (current.expected * float(summed.sum()) / size)
        weight = np.array([coverage / whole, saturating, cutting, redundancy])
        own = terms.take(current.places)
        order, total, gains = blend_walk(quanta, cap, weight, _concepts(own, mentions), own.bonus, *current.limits)
        return Walk(order, total, gains / (QUANTUM * len(rows)))

    blocks = split_into_blocks(pool, quotas, block=block, candidates=candidates)
    return walk_blocks(blocks, walk, quotas, TERMS, label="select: mixture")


def _concepts(
    own: Terms, mentions: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.int64]]:
    """Return the concepts of a block as the kernel takes them, weighted as if all blocks picked them equally often."""
    inside = np.bincount(own.concepts, minlength=len(mentions))
    return own.concept_start, own.concepts, own.worth * np.sqrt(inside / mentions), np.zeros(len(mentions), np.int64)
