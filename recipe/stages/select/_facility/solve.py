"""Greedy facility location for a pool of any size: at once, or by candidates from blocks and one round over all."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.errors import ConfigError
from recipe.stages.select._facility.cells import fine_cells
from recipe.stages.select._facility.ground import Ground
from recipe.stages.select._kernels.lazy_greedy import QUANTUM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.data.vectors import Vectors
    from recipe.stages.select._facility.tasks import Found
    from recipe.stages.select._facility.terms import Terms

REACH = (
    (20_000, 1200),
    (1_000_000, 2400),
    (inf, 1200),
)  # number of points up to which a point is compared with so many candidates, limited by time
WHOLE = 20_000  # points up to which a pool without neighbourhoods is solved as one block; 2 bytes per pair


class Width(NamedTuple):
    """Candidates as a multiple of the quota, candidates that a point is compared with, and those it keeps."""

    candidates: float
    reach: int
    keep: int


def checked(
    name: str,
    pool: Pool,
    *,
    weights: Mapping[str, float],
    width: tuple[float, int | None, int],
    block: int,
    refine: int = 0,
) -> Vectors:
    """Return the vectors of a pool, after checking the weights and knobs."""
    candidates, reach, keep = width
    counts = block / 2, candidates, 1 if reach is None else reach, keep, refine + 1
    if min(weights.values()) < 0 or min(counts) < 1:
        got = f"weights={weights}, block={block}, candidates={candidates}, reach={reach}, keep={keep}, refine={refine}"
        raise ConfigError(f"select.{name}: expected weights and refine from 0, block from 2, others from 1, got {got}")
    if pool.vectors is None:
        raise ConfigError(f"select.{name}: expected a pool with vectors; embed it first")
    return pool.vectors


def lay_ground(
    pool: Pool,
    vectors: Vectors,
    *,
    quotas: Quotas,
    terms: Terms,
    width: tuple[float, int | None, int],
    block: int,
    seed: int,
) -> tuple[Ground, Width]:
    """Split the selectable rows of a pool into blocks, and determine how many candidates are compared.

    If blocks do not contain neighbours (`Ground.tight`), a pool of up to `WHOLE` points is one block, and in a larger
    one twice as many candidates are proposed and kept and four times as many compared.

    Parameters
    ----------
    pool, vectors
        n samples with `cluster`, and their vectors.
    quotas
        How many of each cell.
    terms
        Aligned with the selectable rows.
    width
        Candidates, reach (None: by the size of the pool) and keep, as set by the user.
    block, seed
        As for the selector.
    """
    rows = np.flatnonzero(quotas.cell >= 0)
    everything, one = np.arange(len(rows)), np.zeros(len(rows), np.int32)
    candidates, wanted, keep = width
    reach = wanted or next(reach for points, reach in REACH if len(rows) <= points)
    blocks, cluster = [everything], one
    if len(rows) > block:
        cluster = fine_cells(vectors, rows, pool.rows["cluster"].to_numpy()[rows], seed=seed)
        blocks = cut_blocks(vectors, cluster, most=block, rows=rows)
    ground = Ground(vectors, rows, terms, quotas.quota, quotas.per_image, blocks, cluster)
    if len(blocks) == 1 or ground.tight:
        return ground, Width(candidates, reach, keep)
    if len(rows) <= WHOLE:
        return replace(ground, blocks=[everything], cluster=one), Width(candidates, reach, keep)
    return ground, Width(2 * candidates, 4 * reach, 2 * keep)


def solve(ground: Ground, width: Width) -> tuple[NDArray[np.int64], Found]:
    """Return the places of the candidates, and the result of greedy over them."""
    if len(ground.blocks) == 1:
        everything = np.arange(len(ground.rows))
        return everything, ground.solve_all_pairs(everything)
    chosen = ground.propose(width.candidates)
    return chosen, ground.merge(chosen, width.reach, width.keep)


def gains_of(ground: Ground, found: Found) -> dict[str, NDArray[np.float64]]:
    """Return the gains of the picks by term, as shares of the objective."""
    scale = 1 / (QUANTUM * len(ground.rows))
    return {
        term: np.asarray(found.gains[:, at] * scale, dtype=np.float64)
        for at, term in enumerate(("coverage", "concepts", "quality"))
    }
