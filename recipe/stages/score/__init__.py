"""Scores of every sample. Each file: pool -> (n,) float32, higher is better.

A file with ``COSTLY = True`` takes minutes for a large pool, so its scores are cached. Such a score must not depend on
quotas.
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
    """Attach a column for each score of the recipe, in order: a score may use those before it."""
    for number, step in enumerate(plan.score):
        pool = pool.with_scores({step.label: _scores(pool, plan.score[: number + 1])})
    release(pool.vectors)
    return pool


def _scores(pool: Pool, steps: tuple[Step, ...]) -> NDArray[np.float32]:
    """Compute the last of some scores; a costly one is cached under the names of all scores that it may use."""
    step = steps[-1]
    if not is_costly("score", step.name):
        scores: NDArray[np.float32] = call("score", step, pool)
        return scores
    at = checkpoint.enter(pool, "score", *steps)
    cached: NDArray[np.float32] = checkpoint.whole(at, "scores.npy", lambda: call("score", step, pool))
    return np.array(cached)
