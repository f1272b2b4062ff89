"""Spherical k-means: the means of clusters of unit rows, the same on every processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.data.vectors import unit
from recipe.engine.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Labels = NDArray[np.int32]

BLOCK = 1 << 12  # points that are compared at a time


def spherical_means(points: Matrix, count: int, *, rounds: int, rng: np.random.Generator) -> Matrix:
    """Return the unit means of clusters, from that many points drawn at random; O(rounds n count d).

    A cluster without points starts again from the point of the then largest cluster that is farthest from its mean.

    Parameters
    ----------
    points
        (n, d) unit rows, from `rows_of` or `unit`.
    count
        Clusters, 1..n.
    rounds
        Times that the points move to the nearest mean, and the means to their points; from 0.
    rng
        The random generator.

    Returns
    -------
    ndarray
        (count, d) float32 unit rows.

    References
    ----------
    Dhillon and Modha 2001, Concept Decompositions for Large Sparse Text Data Using Clustering. The nearest are found by
    faiss (Douze et al. 2024), whose own k-means would round its means as the processor does.

    Examples
    --------
    >>> points = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]]
    >>> np.sort(spherical_means(points, 2, rounds=2, rng=np.random.default_rng(0)), axis=0).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    means = unit(points[rng.permutation(len(points))[:count]])
    for _ in range(rounds):
        nearest = nearest_mean(points, means)
        sums, sizes = sums_by(points, nearest, count)
        means = np.where((sizes > 0)[:, None], unit(sums), means)
        for empty in np.flatnonzero(sizes == 0):
            largest = int(np.argmax(sizes))
            own = np.flatnonzero(nearest == largest)
            far = own[np.argmin(points[own] @ means[largest])]
            means[empty], nearest[far] = points[far], empty
            sizes[largest] -= 1
            sizes[empty] += 1
    return means


def nearest_mean(points: Matrix, means: Matrix) -> Labels:
    """Return the number of the mean nearest to each point, (n,) int32; of ties the first; O(n count d)."""
    import faiss  # noqa: PLC0415  heavy

    index: Any = faiss.IndexFlatIP(means.shape[1])
    index.add(means)
    blocks = [points[at : at + BLOCK] for at in range(0, len(points), BLOCK)]
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the calling thread, which is one of many
    try:
        found = [index.search(block, 1)[1][:, 0].astype(np.int32) for block in blocks]
    finally:
        faiss.omp_set_num_threads(threads)
    return np.concatenate([np.zeros(0, np.int32), *found])


def sums_by(points: Matrix, label: Labels, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the sum of the points of each label, (count, d) float64, and their number, (count,) int64."""
    sums = np.zeros((count, points.shape[1]))
    _add_up(points, label, sums)
    return sums, np.bincount(label, minlength=count)


@compiled()
def _add_up(points: Matrix, label: Labels, sums: NDArray[np.float64]) -> None:
    """Add each point to the sum of its label."""
    for i in range(len(points)):
        for j in range(points.shape[1]):
            sums[label[i], j] += points[i, j]
