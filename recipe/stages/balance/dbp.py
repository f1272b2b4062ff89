"""More for clusters that are wide and stand apart: density-based pruning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError
from recipe.stages.balance._geometry import against_all, sums_of, unit
from recipe.stages.balance._rounding import largest_remainder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.stages.balance._groups import Groups


def balance(
    counts: NDArray[np.int64], size: int, *, groups: Groups, tau: float = 0.5, near: int = 20, least: float = 0.5
) -> NDArray[np.int64]:
    """Share the size as near to ``softmax(d_inter * d_intra / tau)`` as bounds allow, in the sum of squares.

    d_inter is the mean of 1 - cosine from a cluster's centroid to the nearest others, d_intra that from its samples to
    it. What is shared out minimises ``|x - P * size|^2`` with sum `size` and each x between a least number and its
    count: ``x = clip(P * size + a, least, counts)`` with the one `a` that gives the sum. O(n d + v v d) for v clusters.

    Parameters
    ----------
    counts
        (v,) int64 supply of each cluster.
    size
        Samples to share out, at most the sum of the counts.
    groups
        Which samples each cluster has, and the vectors of all: unit rows.
    tau
        Temperature of the softmax, above 0.
    near
        Nearest centroids that count, from 1; fewer where there are fewer.
    least
        A cluster gets at least this part of an equal share, 0..1, or all it has; one sample where the size allows.

    Returns
    -------
    ndarray
        (v,) int64, sum `size`, none above its count.

    Raises
    ------
    ConfigError
        If a knob is out of its range.

    References
    ----------
    Abbas, Rusak, Tirumala, Brendel, Chaudhuri and Morcos 2024, Effective pruning of web-scale datasets based on
    complexity of concept clusters, section 3; `least` is the option `cls-bal-ratio` of the published code. That solves
    the quadratic program numerically and rounds each number by itself, so that the size may be missed, and lets a
    cluster smaller than its least share give all but one sample; here the solution is exact, whole numbers come by
    largest remainders, and such a cluster gives all.

    Examples
    --------
    >>> from recipe.stages.balance._groups import Groups
    >>> points = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]  # two copies, and two that differ
    >>> groups = Groups(points, [np.array([0, 1]), np.array([2, 3])])
    >>> balance(np.array([20, 20]), 10, groups=groups, tau=0.1).tolist()
    [2, 8]
    """
    asked = weights(counts, groups=groups, tau=tau, near=near, least=least)
    low = np.minimum(counts, _least(counts, size, least))
    return largest_remainder(project(asked * size, low, counts, size), size, counts)


def weights(
    counts: NDArray[np.int64], *, groups: Groups, tau: float = 0.5, near: int = 20, least: float = 0.5
) -> NDArray[np.float64]:
    """Return the shares that are asked for, whatever can be supplied: (v,) float64, sum 1."""
    if not (tau > 0 and near >= 1 and 0 <= least <= 1):
        got = f"tau={tau}, near={near}, least={least}"
        raise ConfigError(f"balance.dbp: expected tau above 0, near from 1 on, least on 0..1, got {got}")
    known = counts > 0
    exponent = complexity(groups, near) / tau
    share = np.where(known, np.exp(np.where(known, exponent - exponent[known].max(initial=-np.inf), 0.0)), 0.0)
    return np.asarray(share / max(1.0, share.sum()))


def _least(counts: NDArray[np.int64], size: int, least: float) -> int:
    """Return the samples that each cluster should get at least."""
    clusters = max(1, int((counts > 0).sum()))
    return max(int(size / clusters * least), int(size >= clusters))


def complexity(groups: Groups, near: int) -> NDArray[np.float64]:
    """Return d_inter times d_intra of each cluster, (v,) float64; 0 for one without samples."""
    sums = sums_of(groups)
    centroids = unit(sums)
    size = np.array([len(rows) for rows in groups.members])
    held = size > 0

    def to_nearest(cosine: NDArray[np.float32], number: NDArray[np.int64]) -> NDArray[np.float64]:
        cosine[np.arange(len(number)), number] = -np.inf
        cosine[:, ~held] = -np.inf
        count = min(near, int(held.sum()) - 1)
        if count < 1:
            return np.ones(len(number))
        nearest = -np.sort(np.partition(-cosine, count - 1, axis=1)[:, :count], axis=1)
        return np.asarray(np.where(held[number], 1 - nearest.mean(axis=1, dtype=np.float64), 0.0))

    # the mean cosine to the unit centroid is the length of the mean vector
    intra = np.where(held, 1 - np.linalg.norm(sums, axis=1) / np.maximum(1, size), 0.0)
    return np.asarray(against_all(centroids, to_nearest) * np.maximum(intra, 0.0))


def project(
    wanted: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64], total: int
) -> NDArray[np.float64]:
    """Return the point nearest to the one wanted with sum `total` between two bounds; O(v log v).

    The sum of ``clip(wanted + a, low, high)`` grows with `a` piece by piece; between two places where a number leaves
    or meets its bound it is linear, so the right `a` is read off.

    Examples
    --------
    >>> project(np.array([6.0, 3.0, 1.0]), np.array([0, 0, 2]), np.array([5, 9, 9]), 10).tolist()
    [5.0, 3.0, 2.0]
    """
    turns = np.unique(np.concatenate([low - wanted, high - wanted]))
    first, last = 0, len(turns) - 1
    while last - first > 1:
        middle = (first + last) // 2
        below = np.clip(wanted + turns[middle], low, high).sum() <= total
        first, last = (middle, last) if below else (first, middle)
    left, right = (np.clip(wanted + turns[at], low, high) for at in (first, last))
    rise = right.sum() - left.sum()
    part = min(1.0, max(0.0, (total - left.sum()) / rise)) if rise > 0 else 0.0
    return np.asarray(left + part * (right - left))
