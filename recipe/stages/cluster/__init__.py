"""Clusters. Each file: vectors -> (n,) int32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.calls import call
from recipe.data.vectors import release
from recipe.errors import AlignmentError
from recipe.stages import checkpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.config.step import Step
    from recipe.data.pool import Pool

MOST = 2**31  # of a column of int32


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Attach the column `cluster`."""
    pool = checkpoint.enter(pool, "cluster", plan.cluster, seed=plan.seed)
    vectors = pool.vectors

    def compute() -> NDArray[np.int32]:
        return _checked(call("cluster", plan.cluster, vectors, seed=plan.seed), len(pool), plan.cluster)

    cluster = checkpoint.whole(pool, "cluster.npy", compute)
    release(vectors)
    return pool.with_labels(pl.DataFrame({"cluster": np.array(cluster)}))


def _checked(cluster: object, n: int, step: Step) -> NDArray[np.int32]:
    """Return clusters, if there is a number from 0 for each row."""
    fits = isinstance(cluster, np.ndarray) and not isinstance(cluster, np.ma.MaskedArray)
    if not isinstance(cluster, np.ndarray) or not fits or cluster.shape != (n,) or cluster.dtype.kind not in "iu":
        shape = f", shape={cluster.shape}, dtype={cluster.dtype}" if isinstance(cluster, np.ndarray) else ""
        what = f"expected a NumPy array of shape ({n},) of integers from 0"
        raise AlignmentError(f"cluster.{step.label}: {what}, got {type(cluster).__name__}{shape}; return one a row")
    if n and not 0 <= int(cluster.min()) <= int(cluster.max()) < MOST:
        what = f"expected clusters from 0 and below {MOST}, got {cluster.min()} to {cluster.max()}"
        raise AlignmentError(f"cluster.{step.label}: {what}; number them from 0")
    return cluster.astype(np.int32)
