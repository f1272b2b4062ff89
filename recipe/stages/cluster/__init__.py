"""Clusters. Each file: vectors -> (n,) int32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.registry import call
from recipe.data.vectors import release
from recipe.stages import checkpoint

if TYPE_CHECKING:
    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Attach the column `cluster`."""
    pool = checkpoint.enter(pool, "cluster", plan.cluster, seed=plan.seed)
    vectors = pool.vectors
    cluster = checkpoint.whole(pool, "cluster.npy", lambda: call("cluster", plan.cluster, vectors, seed=plan.seed))
    release(vectors)
    return pool.with_labels(pl.DataFrame({"cluster": np.array(cluster)}))
