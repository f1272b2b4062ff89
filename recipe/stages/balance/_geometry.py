"""The centroid of the samples of each value, and distances between centroids and among samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.blocks import every
from recipe.data.vectors import rows_of
from recipe.engine import each

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recipe.stages.balance._groups import Groups

BLOCK = 8192  # samples in memory at a time
LINES = 256  # centroids that are compared with all others at once


def sums_of(groups: Groups) -> NDArray[np.float64]:
    """Return the (v, d) sum of the vectors of each value, in the same order for any number of threads; O(n d)."""

    def summed(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        total = np.zeros(groups.vectors.shape[1])
        for at in range(0, len(rows), BLOCK):
            total += rows_of(groups.vectors, rows[at : at + BLOCK]).sum(axis=0, dtype=np.float64)
        return total

    width = groups.vectors.shape[1]
    return np.array(each(summed, groups.members, label="balance: centroids")).reshape(len(groups.members), width)


def against_all(
    centroids: NDArray[np.float32], function: Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Apply a function to the cosines of each block of centroids to all, and to their numbers; O(v v d)."""

    def lines(number: NDArray[np.int64]) -> NDArray[np.float64]:
        return function(centroids[number] @ centroids.T, number)

    numbers = np.arange(len(centroids))
    blocks = [numbers[at : at + LINES] for at in range(0, len(numbers), LINES)]
    return np.concatenate([np.zeros(0), *each(lines, blocks, label="balance: centroids")])


def mean_of_pairs(
    groups: Groups, function: Callable[[NDArray[np.float32]], NDArray[np.float32]], *, most: int
) -> NDArray[np.float64]:
    """Return the mean of a function of the cosine over all pairs of different samples of each value, (v,) float64.

    Of a value with more than `most` samples, only `most` are compared, evenly spaced in the order of the keys; since
    keys are hashes, this is a random sample. A value with fewer than two samples has the mean 0. O(n most d).
    """

    def mean(rows: NDArray[np.int64]) -> float:
        if len(rows) < 2:  # noqa: PLR2004  a pair
            return 0.0
        points = rows_of(groups.vectors, every(rows, most))
        values = function(points @ points.T)
        total = float(values.sum(dtype=np.float64)) - float(np.trace(values, dtype=np.float64))
        return total / (len(points) * (len(points) - 1))

    return np.array(each(mean, groups.members, label="balance: pairs"), dtype=np.float64)
