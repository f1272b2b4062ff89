"""How different a sample is from its nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.data.vectors import rows_of
from recipe.engine import each
from recipe.errors import ConfigError
from recipe.stages.score._kernels import mean_of_largest
from recipe.stages.score._vectors import eligible_members

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From1
    from recipe.data.pool import Pool

COSTLY = True  # minutes for a large pool, so it is cached


def score(pool: Pool, *, neighbours: From1 = 10, block: From1 = 2000) -> NDArray[np.float32]:
    """Score 1 minus the mean cosine to the nearest neighbours in the cluster; O(n block d).

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    neighbours
        Number of nearest neighbours, from 1; fewer if the cluster has fewer.
    block
        Samples, from 1: a larger cluster is cut into blocks of this size, and neighbours are found inside the block.

    Returns
    -------
    ndarray
        (n,) float32 in 0..2; 1 for a sample alone in its cluster, 0 for one that may not be selected.

    Raises
    ------
    ConfigError
        If `neighbours` or `block` is below 1, or the pool is not embedded or not clustered.

    References
    ----------
    Local density as in the k-nearest-neighbour outlier score of Ramaswamy et al. 2000, by mean instead of maximum.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> bool((score(scored) >= 0).all())
    True
    """
    if neighbours < 1 or block < 1:
        raise ConfigError(f"score.novelty: expected counts from 1, got neighbours={neighbours}, block={block}")
    vectors, clusters = eligible_members(pool, "novelty")

    def mean_similarity(members: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the mean similarity of each member of one cluster to its neighbours, block by block."""
        points = rows_of(vectors, members)
        means = np.zeros(len(members), np.float32)
        for inner in cut_blocks(points, np.zeros(len(members), np.int32), most=block):
            if k := min(neighbours, len(inner) - 1):
                near = points if len(inner) == len(points) else points[inner]
                means[inner] = mean_of_largest(near @ near.T, k)
        return means

    scores = np.zeros(len(pool), np.float32)
    for members, similarity in zip(clusters, each(mean_similarity, clusters, label="score: novelty"), strict=True):
        scores[members] = np.clip(1 - similarity, 0, 2)
    return scores
