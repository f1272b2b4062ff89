"""Find samples that leak from a benchmark: its images, its n-grams, and its questions in another word order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.config.step import Step
from recipe.data.prompts import FORMAT_PROMPTS
from recipe.stages import checkpoint

if TYPE_CHECKING:
    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Refuse samples that leak from the benchmarks that the recipe names, if any."""
    if not (plan.exclude.images or plan.exclude.questions):
        return pool
    from recipe.stages.exclude._leaks import find_leaks  # noqa: PLC0415  compiles

    knobs = plan.exclude.model_dump()
    step = Step("exclude", knobs)
    pool = checkpoint.enter(pool, "exclude", step)
    return pool.refuse(find_leaks(pool, **knobs, prompts=FORMAT_PROMPTS, files=checkpoint.files_of(pool, step)))
