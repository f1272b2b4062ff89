"""How unlike its neighbours a sample is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.blocks import cut_blocks
from recipe.engine import each
from recipe.errors import ConfigError
from recipe.score._vectors import eligible_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool


def score(pool: Pool, *, neighbours: int = 10, block: int = 2000) -> NDArray[np.float32]:
    """Score 1 minus the mean cosine to the nearest neighbours in the cluster; O(n block d).

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    neighbours
        How many nearest neighbours count, from 1; fewer where the cluster has fewer.
    block
        A cluster of more samples is cut into blocks of so many, and neighbours are sought inside the block.

    Returns
    -------
    ndarray
        (n,) float32 on 0..2; 1 for a sample alone in its cluster, 0 for one that may not be selected.

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
    rows, vectors, cluster = eligible_vectors(pool, "novelty")

    def mean_similarity(block_rows: NDArray[np.int64]) -> NDArray[np.float32]:
        points = vectors[block_rows]
        similarity = points @ points.T
        np.fill_diagonal(similarity, -np.inf)
        k = min(neighbours, len(points) - 1)
        if k < 1:
            return np.zeros(len(points), np.float32)
        nearest = np.partition(similarity, len(points) - k, axis=1)[:, -k:]
        return np.asarray(nearest.mean(axis=1, dtype=np.float64), dtype=np.float32)

    blocks = [
        members[inner]
        for members in _members(cluster)
        for inner in cut_blocks(vectors[members], np.zeros(len(members), np.int32), most=block)
    ]
    scores = np.zeros(len(pool), np.float32)
    for part, similarity in zip(blocks, each(mean_similarity, blocks, label="score: novelty"), strict=True):
        scores[rows[part]] = np.clip(1 - similarity, 0, 2)
    return scores


def _members(cluster: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """List the rows of each cluster that has any, in the order of the clusters."""
    order = np.argsort(cluster, kind="stable").astype(np.int64)
    return [part for part in np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1) if len(part)]
