"""Submodular mixture: a weighted sum of named terms, each a share of the objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._block_walks import Walk, cut_parts, ready, walk_parts
from recipe.stages.select._facility.terms import weigh_terms
from recipe.stages.select._kernels.blend import blend_walk
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, quantise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.stages.select._block_walks import Part
    from recipe.stages.select._facility.terms import Terms

TERMS = ("coverage", "saturated", "graph_cut", "concepts", "quality")
MONOTONE = 0.5  # most redundancy at which a graph cut never falls


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    coverage: float = 1.0,
    saturated: float = 1.0,
    graph_cut: float = 0.0,
    concepts: float = 0.02,
    quality: Mapping[str, float] | None = None,
    saturation: float = 1.0,
    redundancy: float = 0.5,
    block: int = 2000,
    candidates: float = 2.0,
    seed: int = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick samples greedily by a weighted sum of submodular terms, under quotas.

    Weights are divided by their sum. The terms of a mix S of k out of n samples, with s = max(cos, 0), are::

        coverage    1/n sum_i max_{j in S} s(i, j)                        as `facility`
        saturated   sum_i min(sum_{j in S} s(i, j), c_i) / sum_i c_i,     c_i = saturation * k/n * sum_j s(i, j)
        graph_cut   (sum_i sum_{j in S} s(i, j) - redundancy * sum_{i, j in S} s(i, j)) / (k * mean_j sum_i s(i, j))
        concepts    1/U sum_u sqrt(picked with u / samples with u)        as `facility`
        quality     mean over S of the rank of its samples in a score     one weight a score

    Saturated coverage is 1 when every sample has its fair share of likeness, that of a mean mix; coverage asks for one
    pick near it, however alone. The graph cut of a mean mix is about 1 and prefers the dense middle. Each term is
    monotone and submodular, so greedy reaches half of the optimum under quotas, and 1 - 1/e of it under one.

    A pool of one block is solved exactly as naive greedy would; with `coverage` alone it picks as `facility` does. A
    larger one is cut into blocks of similar samples: likeness to samples of another block counts as 0, each block has
    the weight of its number of samples, and the picks with a concept are taken to grow in all blocks alike. Each block
    walks through `candidates` times its part of each quota, and the walks are merged by gain. Similarities are held in
    steps of 2**-14, so that ties, which go to the smaller key, are real ties. The order does not nest, for fair shares
    grow with the size; without `saturated`, that of a pool of one block and cell does, but for `quality`, whose weight
    a sample falls with the size.

    O(n block (d + q)) time at worst for q picks a block, of which lazy looks leave a part, and O(block^2) memory a
    thread.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster`, `concepts` (if weighted) and the scores that `quality` names.
    quotas
        How many of each cell.
    coverage, saturated, graph_cut, concepts
        Weights, from 0. That of concepts is as for `facility`; the others are plain, not learned.
    quality
        Score to weight, from 0; nothing by default.
    saturation
        Above 0: fair shares of likeness at which a sample has enough.
    redundancy
        0..0.5: what likeness among picks takes from the graph cut; above it would not be monotone.
    block
        Samples a block, from 2.
    candidates
        How many times its part of a quota a block offers, from 1.
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
    given = {"coverage": coverage, "saturated": saturated, "graph_cut": graph_cut, "concepts": concepts}
    weights = given | dict(quality or {})
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

    def walk(part: Part) -> Walk:
        points = rows_of(vectors, part.rows)
        quanta = quantise(points @ points.T)
        alike = quanta.sum(axis=1, dtype=np.int64)
        size = len(alike)
        cap = np.ceil(alike * min(1.0, saturation * part.expected / size)).astype(np.int64)
        unit = size * QUANTUM / whole  # what the block would weigh if it were all of the objective
        saturating = saturated * unit / float(cap.sum())
        cutting = graph_cut * unit / (part.expected * float(alike.sum()) / size)
        weight = np.array([coverage / whole, saturating, cutting, redundancy])
        own = terms.take(part.places)
        order, total, gains = blend_walk(quanta, cap, weight, _concepts(own, mentions), own.bonus, *part.limits)
        return Walk(order, total, gains / (QUANTUM * len(rows)))

    parts = cut_parts(pool, quotas, block=block, candidates=candidates)
    return walk_parts(parts, walk, quotas, TERMS, label="select: mixture")


def _concepts(
    own: Terms, mentions: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.int64]]:
    """Return the concepts of a block as the walk takes them, each worth what it is if all blocks do alike."""
    here = np.bincount(own.concepts, minlength=len(mentions))
    return own.concept_start, own.concepts, own.worth * np.sqrt(here / mentions), np.zeros(len(mentions), np.int64)
