"""The numbers of a mix and of its pool: what rooms count, brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.report.stats import Stats, make_stats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recipe.config import Recipe
    from recipe.pool import Pool


def measure(pool: Pool, picked: NDArray[np.int64], plan: Recipe, *, certificate: float | None = None) -> Stats:
    """Measure a mix beside its pool."""
    return make_stats(pool, picked, certificate=certificate, seed=plan.seed)
