"""How far a sample is from the centroid of its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.engine import each
from recipe.stages.score._vectors import eligible_members, to_centroid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def score(pool: Pool) -> NDArray[np.float32]:
    """Score 1 minus the cosine to the centroid of the cluster, the mean of its eligible samples; O(n d).

    In the terms of papers on prototype-based pruning, a high score means a hard sample, a low one a typical sample.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.

    Returns
    -------
    ndarray
        (n,) float32 in 0..2; 0 for a sample alone in its cluster, and for one that may not be selected.

    Raises
    ------
    ConfigError
        If the pool is not embedded or not clustered.

    References
    ----------
    Sorscher et al. 2022, Beyond neural scaling laws: beating power law scaling via data pruning, section 4, with the
    cosine as in Abbas et al. 2024, Effective pruning of web-scale datasets. The published code measures the distance to
    the centroids of k-means, which also depend on samples that may not be selected.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> bool((score(scored) >= 0).all())
    True
    """
    vectors, clusters = eligible_members(pool, "distance")
    scores = np.zeros(len(pool), np.float32)
    found = each(lambda members: to_centroid(vectors, members), clusters, label="score: distance")
    for members, cosine in zip(clusters, found, strict=True):
        scores[members] = np.clip(1 - cosine, 0, 2) if len(members) > 1 else 0
    return scores
