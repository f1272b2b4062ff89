"""Spherical k-means: clusters of samples with similar content."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.groups import grouped
from recipe.data.means import nearest_mean, spherical_means
from recipe.data.vectors import rows_of, unit
from recipe.engine import each
from recipe.engine.seed import generator
from recipe.errors import ConfigError
from recipe.stages.cluster._closure import POINTS, place, refine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From1, Integer, Ratio
    from recipe.data.vectors import Vectors

    Rows = NDArray[np.int64]

FLAT = 256  # the most clusters that one k-means finds; more are found inside regions
BLOCK = 1 << 14  # points in memory at a time
WHOLE = 0.9  # a region with this share of the points that were split is not split again: most likely duplicates


def cluster(
    vectors: Vectors,
    *,
    k: From1 | None = None,
    points: Ratio | None = None,
    iterations: From1 = 20,
    sample: From1 = 256,
    seed: Integer = 0,
) -> NDArray[np.int32]:
    """Assign every vector to one of at most k centroids.

    More than 256 clusters are found in two levels: the points are split into about sqrt(k) regions, and each region
    into clusters in proportion to its points; then points move between near clusters of all regions, see
    `recipe.stages.cluster._closure`. Each region and each cluster is processed by one thread, with sums in a fixed
    order, so the clusters do not depend on the number of cores. O(iterations k sample c d + n c d) with c = k up to
    256, and about sqrt(k) + 256 above.

    Parameters
    ----------
    vectors
        (n, d) float16 or float32 unit rows, in memory or mapped from a file, which is read in blocks.
    k
        Number of clusters, from 1; n at most. By default one for each 1,000 samples, and at least 8 if there are 160
        samples or more.
    points
        Instead of `k`: mean samples per cluster, from 1, so that one recipe fits pools of any size. COINCIDE has 66:
        10,000 clusters of 665,000 samples.
    iterations
        Iterations of training, from 1.
    sample
        Training points per centroid, from 1; 64 is faster, 1,000 hardly better.
    seed
        Any integer: seed for the training sample and the initial centroids.

    Returns
    -------
    ndarray
        (n,) int32 in 0..k-1. A cluster may be empty; its number is then unused.

    Raises
    ------
    ConfigError
        If `k` or `points` is below 1, or both are given.

    References
    ----------
    Dhillon and Modha 2001, Concept Decompositions for Large Sparse Text Data. Levels: Nistér and
    Stewénius 2006, Scalable Recognition with a Vocabulary Tree.

    Examples
    --------
    >>> import numpy as np
    >>> cluster(np.eye(2, dtype=np.float32)[[0, 0, 1, 1]], k=2).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    True
    """
    if k is not None and k < 1:
        raise ConfigError(f"cluster.kmeans: expected at least one cluster, got k={k}")
    if points is not None and (k is not None or not points >= 1):
        raise ConfigError(f"cluster.kmeans: expected points from 1 instead of k, got points={points}, k={k}")
    n = len(vectors)
    if points is not None:
        k = max(1, round(n / points))
    k = min(n, default_k(n) if k is None else k)
    if k <= 1:
        return np.zeros(n, dtype=np.int32)
    train = partial(_train, vectors, iterations=iterations, sample=sample, seed=seed)
    if k <= FLAT:
        return _assign(vectors, np.arange(n), _one(train, (np.arange(n), k)))
    regions = _regions(vectors, k, train)
    started = each(partial(_start, vectors, train=train, seed=seed), regions, label="cluster")
    centroids = np.concatenate([found for found, _, _ in started])
    before = np.cumsum([0, *(len(found) for found, _, _ in started)])
    labels = np.concatenate([first + nearest for first, (_, _, nearest) in zip(before, started, strict=False)])
    drawn = np.asarray(vectors)[np.concatenate([rows for _, rows, _ in started])]
    middles = unit(np.stack([found.mean(axis=0) for found, _, _ in started]))
    return place(vectors, [rows for rows, _ in regions], middles, refine(drawn, labels.astype(np.int32), centroids))


def default_k(n: int) -> int:
    """Return one cluster for each 1,000 samples, at least 8, but with at least 20 samples per cluster on average."""
    return max(1, min(n // 20, max(8, round(n / 1000))))


def _regions(vectors: Vectors, k: int, train: partial[NDArray[np.float32]]) -> list[tuple[Rows, int]]:
    """Split all points into regions of at most 256 clusters each, and return the rows and clusters of each region."""
    done, waiting = [], [(np.arange(len(vectors)), k)]
    while waiting:
        rows, k = waiting.pop()
        if k <= FLAT:
            done.append((rows, k))
            continue
        nearest = _assign(vectors, rows, _one(train, (rows, round(k**0.5))))
        regions = grouped(rows, nearest)
        for region, wanted in zip(regions, _shares([len(region) for region in regions], k), strict=True):
            waiting.append((region, wanted if len(region) <= WHOLE * len(rows) else min(wanted, FLAT)))
    return done


def _shares(sizes: list[int], k: int) -> list[int]:
    """Divide k clusters among regions in proportion to their points: at least one each, and no more than points.

    The first point of each region counts for one cluster, and the others are divided by Hamilton's method.
    """
    rest = np.array(sizes) - 1
    share = rest * ((k - len(sizes)) / max(1, rest.sum()))
    whole = np.floor(share).astype(np.int64)
    short = k - len(sizes) - int(whole.sum())
    whole[np.argsort(whole - share, kind="stable")[:short]] += 1
    return [int(more) + 1 for more in whole]


def _train(
    vectors: Vectors, region: tuple[Rows, int], *, iterations: int, sample: int, seed: int
) -> NDArray[np.float32]:
    """Find the centroids of a region, from a sample of its points."""
    rows, k = region
    points = rows_of(vectors, _drawn(rows, k * sample, seed))
    return spherical_means(points, k, rounds=iterations, rng=generator(seed, "cluster.means"))


def _one(train: partial[NDArray[np.float32]], region: tuple[Rows, int]) -> NDArray[np.float32]:
    """Find the centroids of one region on one thread, for one order of sums."""
    return each(train, [region], label="cluster")[0]


def _start(
    vectors: Vectors, region: tuple[Rows, int], *, train: partial[NDArray[np.float32]], seed: int
) -> tuple[NDArray[np.float32], Rows, NDArray[np.int32]]:
    """Find the initial centroids of a region, and draw points to refine them, with the nearest centroid of each."""
    rows, k = region
    centroids = train(region)
    drawn = _drawn(rows, k * POINTS, seed)
    return centroids, drawn, _nearest(vectors, drawn, centroids)


def _drawn(rows: Rows, most: int, seed: int) -> Rows:
    """Draw at most `most` of some rows."""
    return rows if len(rows) <= most else generator(seed, "cluster.sample").permutation(rows)[:most]


def _assign(vectors: Vectors, rows: Rows, centroids: NDArray[np.float32]) -> NDArray[np.int32]:
    """Find the nearest centroid of each point, on all cores."""
    last = max(1, len(rows) // BLOCK)
    blocks = np.split(rows, [BLOCK * at for at in range(1, last)])
    return np.concatenate(each(lambda block: _nearest(vectors, block, centroids), blocks, label="cluster: assign"))


def _nearest(vectors: Vectors, rows: Rows, centroids: NDArray[np.float32]) -> NDArray[np.int32]:
    """Find the nearest centroid of each point, on this thread; of ties the first."""
    blocks = np.split(rows, range(BLOCK, len(rows), BLOCK))
    return np.concatenate([nearest_mean(rows_of(vectors, block), centroids) for block in blocks])
