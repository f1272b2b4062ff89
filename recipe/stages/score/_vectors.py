"""The eligible samples of an embedded and clustered pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.groups import grouped
from recipe.data.vectors import rows_of
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.vectors import Vectors


BLOCK = 8192  # members in memory at a time


def eligible_members(pool: Pool, name: str) -> tuple[Vectors, list[NDArray[np.int64]]]:
    """Return the vectors of all rows, and the rows of each cluster that may be selected.

    Clusters are in the order of their numbers, rows ascending; read the vectors cluster by cluster, since all of them
    may not fit into memory. O(n log n).

    Raises
    ------
    ConfigError
        If the pool is not embedded or not clustered.
    """
    if pool.vectors is None or "cluster" not in pool.rows.columns:
        raise ConfigError(f"score.{name}: expected a pool with vectors and clusters; embed and cluster it first")
    rows = np.flatnonzero(pool.eligible)
    cluster = pool.rows["cluster"].to_numpy()[rows]
    return pool.vectors, grouped(rows, cluster)


def to_centroid(vectors: Vectors, members: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cosine of each member to the mean of all, (m,) float64; 0 if the mean is zero; O(m d)."""
    blocks = [members[at : at + BLOCK] for at in range(0, len(members), BLOCK)]
    total = np.sum([rows_of(vectors, block).sum(axis=0, dtype=np.float64) for block in blocks], axis=0)
    length = float(np.sqrt((total * total).sum()))
    along = np.concatenate([rows_of(vectors, block).astype(np.float64) @ total for block in blocks])
    return along / length if length > 0 else along
