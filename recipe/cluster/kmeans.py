"""Spherical k-means: cells of samples that say similar things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def cluster(
    vectors: NDArray[np.float32], *, k: int | None = None, iterations: int = 20, sample: int = 256, seed: int = 0
) -> NDArray[np.int32]:
    """Assign every vector to one of at most k centroids.

    Runs on one thread: sums then have one order, and the clusters are the same on every number of cores.
    O(iterations k sample k d + n k d).

    Parameters
    ----------
    vectors
        (n, d) float32 unit rows.
    k
        Number of clusters, from 1; n at most. By default one for each 1,000 samples, at least 8 where there are 160
        samples and more.
    iterations
        Rounds of training.
    sample
        Points a centroid that training looks at; 64 is faster, 1,000 barely better.
    seed
        Seed of the sample and of the first centroids.

    Returns
    -------
    ndarray
        (n,) int32 on 0..k-1. A cluster may be empty; its number is then unused.

    Raises
    ------
    ConfigError
        If `k` is below 1.

    References
    ----------
    Dhillon and Modha 2001, Concept Decompositions for Large Sparse Text Data; faiss (Douze et al. 2024).

    Examples
    --------
    >>> import numpy as np
    >>> cluster(np.eye(2, dtype=np.float32)[[0, 0, 1, 1]], k=2).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    True
    """
    import faiss  # noqa: PLC0415  heavy
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    if k is not None and k < 1:
        raise ConfigError(f"cluster.kmeans: expected at least one cluster, got k={k}")
    vectors = np.asarray(vectors, dtype=np.float32)
    n, d = vectors.shape
    k = min(n, default_k(n) if k is None else k)
    if k <= 1:
        return np.zeros(n, dtype=np.int32)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            trainer = faiss.Kmeans(
                d,
                k,
                niter=iterations,
                seed=seed,
                spherical=True,
                max_points_per_centroid=sample,
                min_points_per_centroid=1,
            )
            trainer.train(vectors)
            _, nearest = trainer.index.search(vectors, 1)
    finally:
        faiss.omp_set_num_threads(threads)
    labels: NDArray[np.int32] = nearest[:, 0].astype(np.int32)
    return labels


def default_k(n: int) -> int:
    """Return one cluster for each 1,000 samples, at least 8, but none that would hold fewer than 20 on average."""
    return max(1, min(n // 20, max(8, round(n / 1000))))
