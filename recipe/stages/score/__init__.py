"""Scores of every sample. Each file: pool -> (n,) float32, higher is better.

A file with ``COSTLY = True`` takes minutes for a large pool, so its scores are cached. Such a score must not depend on
quotas.
"""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING

import numpy as np

from recipe.config.calls import call
from recipe.config.code import name_of
from recipe.config.registry import find, is_costly
from recipe.data.vectors import release
from recipe.errors import AlignmentError
from recipe.io.hashes import check_unchanged
from recipe.stages import checkpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.config.step import Step
    from recipe.data.pool import Pool


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Attach a column for each score of the recipe, in order: a score may use those before it."""
    pool = checkpoint.note_files(pool, *plan.score)
    for number, step in enumerate(plan.score):
        pool = pool.with_scores({step.label: _scores(pool, plan.score[: number + 1], plan.seed)})
    release(pool.vectors)
    return pool


def _scores(pool: Pool, steps: tuple[Step, ...], seed: int) -> NDArray[np.float32]:
    """Compute the last of some scores; a costly one is cached under the names of all scores that it may use."""
    step = steps[-1]

    def compute() -> NDArray[np.float32]:
        scores = call("score", step, pool, seed=seed if _takes_seed(step) else None)
        check_unchanged(checkpoint.files_of(pool, step))
        return _checked(scores, pool, step)

    if not is_costly("score", step.name):
        return compute()
    seeds = {"seed": seed} if any(_takes_seed(one) for one in steps) else {}
    at = checkpoint.enter(pool, "score", *steps, **seeds)
    cached: NDArray[np.float32] = checkpoint.whole(at, "scores.npy", compute)
    return np.array(cached)


def _checked(scores: object, pool: Pool, step: Step) -> NDArray[np.float32]:
    """Return scores, those of your own function as a copy, or raise before anything is cached."""
    if not isinstance(scores, np.ndarray) or isinstance(scores, np.ma.MaskedArray):
        what = f"expected a NumPy array of shape ({len(pool)},) and dtype float32"
        raise AlignmentError(f"score.{step.label}: {what}, got {type(scores).__name__}; return np.asarray(...)")
    pool.with_scores({step.label: scores})
    return scores if name_of(step.name) is None else scores.copy()


def _takes_seed(step: Step) -> bool:
    """Return whether a score is a function of your own that takes the recipe's seed; those here keep theirs."""
    return name_of(step.name) is not None and "seed" in signature(find("score", step.name)).parameters
