"""Scores of every sample. Each file: pool -> (n,) float32, higher = wanted.

A file that says ``COSTLY = True`` takes minutes in a large pool; what it makes is kept by the checkpoint. Such a score
depends on no quota.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.config.registry import call, is_costly
from recipe.data.vectors import release
from recipe.stages import checkpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.config.step import Step
    from recipe.data.pool import Pool


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Attach a column for each score of the recipe, in order: a score may be made of those before it."""
    for number, step in enumerate(plan.score):
        pool = pool.with_scores({step.label: _scores(pool, plan.score[: number + 1])})
    release(pool.vectors)
    return pool


def _scores(pool: Pool, steps: tuple[Step, ...]) -> NDArray[np.float32]:
    """Make the last of some scores; what costs much is kept under the names of all that it may be made of."""
    step = steps[-1]
    if not is_costly("score", step.name):
        scores: NDArray[np.float32] = call("score", step, pool)
        return scores
    at = checkpoint.enter(pool, "score", *steps)
    kept: NDArray[np.float32] = checkpoint.whole(at, "scores.npy", lambda: call("score", step, pool))
    return np.array(kept)
