"""Selectors. Each file: pool and quotas -> picks in pick order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.config.calls import call
from recipe.data.vectors import release
from recipe.stages.select._checks import checked

if TYPE_CHECKING:
    from recipe.config.recipe import Recipe
    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


def apply(pool: Pool, plan: Recipe, quotas: Quotas) -> Picks:
    """Pick as many samples from each cell as its quota says."""
    picks: object = call("select", plan.select, pool, quotas, seed=plan.seed)
    release(pool.vectors)
    return checked(picks, quotas, f"select.{plan.select.label}")
