"""Lloyd iterations for very many centroids: a point is compared only with the centroids near its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.groups import grouped
from recipe.data.vectors import rows_of, unit
from recipe.engine import each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors

    Matrix = NDArray[np.float32]
    Labels = NDArray[np.int32]

NEAR = 128  # centroids that a point is compared with; twice as many when it is first assigned from its region
ROUNDS = 12
POINTS = 128  # per centroid; the cost of an iteration is proportional to it
BLOCK = 1 << 15  # points in memory at a time


def refine(points: Vectors, labels: Labels, centroids: Matrix) -> Matrix:
    """Move points to the nearest of the centroids near their own, and centroids to the means of their points.

    Points of one cluster are compared together, by matrix multiplication. O(rounds (n NEAR d + k k d)).

    Parameters
    ----------
    points
        (n, d) float16 or float32 unit rows, in memory.
    labels
        (n,) int32 initial clusters in 0..k-1.
    centroids
        (k, d) float32 unit rows.

    Returns
    -------
    ndarray
        (k, d) float32 unit centroids.

    References
    ----------
    Wang, Wang, Ke, Zeng and Li 2012, Fast Approximate k-Means via Cluster Closures.
    """
    for _ in range(ROUNDS):
        centroids = _means(points, labels, centroids)
        labels = _move(points, labels, centroids)
    return _means(points, labels, centroids)


def place(vectors: Vectors, regions: list[NDArray[np.int64]], middles: Matrix, centroids: Matrix) -> Labels:
    """Find a near centroid for each point: the best one near the mean of its region, then the best one near that.

    Parameters
    ----------
    vectors
        (n, d) float16 or float32 unit rows, in memory or mapped from a file.
    regions
        Rows of each region; every row is in one of them.
    middles
        (p, d) float32: the unit mean of each region.
    centroids
        (k, d) float32.

    Returns
    -------
    ndarray
        (n,) int32 in 0..k-1.
    """
    home = nearest_centroids(middles, centroids, 2 * NEAR)
    near = nearest_centroids(centroids, centroids, NEAR)

    def closest(block: tuple[int, NDArray[np.int64]]) -> Labels:
        region, rows = block
        points = rows_of(vectors, rows)
        labels = _among(points, home[region], centroids)
        for group in grouped(np.arange(len(labels)), labels):
            labels[group] = _among(points[group], near[labels[group[0]]], centroids)
        return labels

    blocks = [(p, rows[at : at + BLOCK]) for p, rows in enumerate(regions) for at in range(0, len(rows), BLOCK)]
    labels = np.empty(len(vectors), np.int32)
    for (_, rows), found in zip(blocks, each(closest, blocks, label="cluster: assign"), strict=True):
        labels[rows] = found
    return labels


def nearest_centroids(points: Matrix, centroids: Matrix, count: int) -> Labels:
    """List the numbers of the `count` centroids nearest to each point, ascending; (m, count) int32."""
    count = min(count, len(centroids))

    def nearest(block: Matrix) -> Labels:
        far = -(block @ centroids.T)
        return np.sort(np.argpartition(far, count - 1, axis=1)[:, :count], axis=1).astype(np.int32)

    blocks = [points[at : at + 1024] for at in range(0, len(points), 1024)]
    return np.concatenate(each(nearest, blocks, label="cluster"))


def _move(points: Vectors, labels: Labels, centroids: Matrix) -> Labels:
    """Find the nearest of the centroids near its own for each point."""
    near = nearest_centroids(centroids, centroids, NEAR)
    groups = grouped(np.arange(len(labels)), labels)
    moved = np.empty_like(labels)

    def closest(rows: NDArray[np.int64]) -> None:
        moved[rows] = _among(rows_of(points, rows), near[labels[rows[0]]], centroids)

    each(closest, groups, label="cluster")
    return moved


def _among(points: Matrix, candidates: Labels, centroids: Matrix) -> Labels:
    """Find the nearest of some centroids for each point; ties go to the smaller number."""
    nearest: Labels = candidates[np.argmax(points @ centroids[candidates].T, axis=1)]
    return nearest


def _means(points: Vectors, labels: Labels, before: Matrix) -> Matrix:
    """Return the unit mean of each cluster; an empty cluster keeps the centroid it had before."""
    groups = grouped(np.arange(len(labels)), labels)
    centroids = before.copy()

    def mean(rows: NDArray[np.int64]) -> None:
        centroids[labels[rows[0]]] = rows_of(points, rows).mean(axis=0, dtype=np.float64)

    each(mean, groups, label="cluster")
    return unit(centroids)
