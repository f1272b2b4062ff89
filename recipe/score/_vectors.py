"""The eligible part of an embedded and clustered pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError
from recipe.vectors import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool


def eligible_vectors(pool: Pool, name: str) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int32]]:
    """Return the rows that may be selected, their vectors and their clusters.

    Raises
    ------
    ConfigError
        If the pool is not embedded or not clustered.
    """
    if pool.vectors is None or "cluster" not in pool.rows.columns:
        raise ConfigError(f"score.{name}: expected a pool with vectors and clusters; embed and cluster it first")
    rows = np.flatnonzero(pool.eligible)
    return rows, rows_of(pool.vectors, rows), pool.rows["cluster"].to_numpy()[rows]
