"""How similar a sample is to the rest of its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import each
from recipe.stages.score._vectors import eligible_members

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool

COSTLY = True  # minutes for a large pool, so it is cached
BLOCK = 8192  # members in memory at a time


def score(pool: Pool) -> NDArray[np.float32]:
    """Score the mean cosine to all other eligible samples of the cluster; O(n d).

    The mean over pairs is computed from the sum of the cluster's vectors, never pair by pair.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.

    Returns
    -------
    ndarray
        (n,) float32 in -1..1; 0 for a sample alone in its cluster, and for one that may not be selected.

    References
    ----------
    The within-cluster similarity of Lee et al. 2024 (COINCIDE), section 3.2, with the cosine instead of a Gaussian
    kernel.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> bool((abs(score(scored)) <= 1).all())
    True
    """
    vectors, clusters = eligible_members(pool, "density")
    scores = np.zeros(len(pool), np.float32)

    def fill_in(members: NDArray[np.int64]) -> None:
        """Score the members of one cluster."""
        blocks = [members[at : at + BLOCK] for at in range(0, len(members), BLOCK)]
        total = np.sum([rows_of(vectors, block).sum(axis=0, dtype=np.float64) for block in blocks], axis=0)
        for block in blocks:
            points = rows_of(vectors, block).astype(np.float64)
            others = points @ total - np.einsum("ij,ij->i", points, points)
            scores[block] = np.clip(others / (len(members) - 1), -1, 1)

    each(fill_in, [members for members in clusters if len(members) > 1], label="score: density")
    return scores
