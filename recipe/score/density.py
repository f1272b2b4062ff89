"""How much of its cluster lies around a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.score._vectors import eligible_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool


def score(pool: Pool) -> NDArray[np.float32]:
    """Score the mean cosine to all other eligible samples of the cluster; O(n d).

    The mean over pairs is taken through the cluster's vector sum, never pair by pair.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.

    Returns
    -------
    ndarray
        (n,) float32 on -1..1; 0 for a sample alone in its cluster, and for one that may not be selected.

    References
    ----------
    The within-cluster similarity of Lee et al. 2024 (COINCIDE), section 3.2, with the cosine for the Gaussian kernel.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> bool((abs(score(scored)) <= 1).all())
    True
    """
    rows, vectors, cluster = eligible_vectors(pool, "density")
    scores = np.zeros(len(pool), np.float32)
    order = np.argsort(cluster, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1):
        if len(members) > 1:
            points = vectors[members].astype(np.float64)
            others = points @ points.sum(axis=0) - np.einsum("ij,ij->i", points, points)
            scores[rows[members]] = np.clip(others / (len(members) - 1), -1, 1)
    return scores
