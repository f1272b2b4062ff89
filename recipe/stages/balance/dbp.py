"""Density-based pruning: more samples for clusters that are wide and far from others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import unit
from recipe.errors import ConfigError
from recipe.stages.balance._geometry import against_all, sums_of
from recipe.stages.balance._rounding import largest_remainder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From1, Positive, Share
    from recipe.stages.balance._groups import Groups


def balance(
    counts: NDArray[np.int64], size: int, *, groups: Groups, tau: Positive = 0.5, near: From1 = 20, least: Share = 0.5
) -> NDArray[np.int64]:
    """Share the size as close to ``softmax(d_inter * d_intra / tau)`` as bounds allow, in least squares.

    d_inter is the mean of 1 - cosine from a cluster's centroid to the nearest others, d_intra that from its samples to
    its centroid. The result minimises ``|x - P * size|^2`` with sum `size` and each x between a minimum and its count:
    ``x = clip(P * size + a, minimum, counts)`` with the one `a` that gives the sum. O(n d + v v d) for v clusters.

    Parameters
    ----------
    counts
        (v,) int64 supply of each cluster.
    size
        Samples to share out, at most the sum of the counts.
    groups
        The samples of each cluster, and the vectors of all: unit rows.
    tau
        Temperature of the softmax, above 0.
    near
        Number of nearest centroids, from 1; fewer if there are fewer.
    least
        A cluster gets at least this fraction of an equal share, 0..1, or all it has; at least one sample if the size
        allows.

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
    complexity of concept clusters, section 3; `least` is the option `cls-bal-ratio` of the published code. That code
    solves the quadratic program numerically and rounds each number by itself, so that the size may be missed, and takes
    all but one sample of a cluster smaller than its minimum; here the solution is exact, numbers are rounded by largest
    remainders, and all samples of such a cluster are taken.

    Examples
    --------
    >>> from recipe.stages.balance._groups import Groups
    >>> points = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]  # two copies, and two that differ
    >>> groups = Groups(points, [np.array([0, 1]), np.array([2, 3])])
    >>> balance(np.array([20, 20]), 10, groups=groups, tau=0.1).tolist()
    [2, 8]
    """
    share = weights(counts, groups=groups, tau=tau, near=near, least=least)
    low = np.minimum(counts, _least(counts, size, least))
    return largest_remainder(project(share * size, low, counts, size), size, counts)


def weights(
    counts: NDArray[np.int64], *, groups: Groups, tau: float = 0.5, near: int = 20, least: float = 0.5
) -> NDArray[np.float64]:
    """Return the wanted shares, regardless of supply: (v,) float64, sum 1."""
    if not (tau > 0 and near >= 1 and 0 <= least <= 1):
        got = f"tau={tau}, near={near}, least={least}"
        raise ConfigError(f"balance.dbp: expected tau above 0, near from 1 on, least in 0..1, got {got}")
    known = counts > 0
    exponent = complexity(groups, near) / tau
    share = np.where(known, np.exp(np.where(known, exponent - exponent[known].max(initial=-np.inf), 0.0)), 0.0)
    return np.asarray(share / max(1.0, share.sum()))


def _least(counts: NDArray[np.int64], size: int, least: float) -> int:
    """Return the minimum number of samples of a cluster."""
    clusters = max(1, int((counts > 0).sum()))
    return max(int(size / clusters * least), int(size >= clusters))


def complexity(groups: Groups, near: int) -> NDArray[np.float64]:
    """Return d_inter times d_intra of each cluster, (v,) float64; 0 for one without samples."""
    sums = sums_of(groups)
    centroids = unit(sums)
    size = np.array([len(rows) for rows in groups.members])
    has_samples = size > 0

    def to_nearest(cosine: NDArray[np.float32], number: NDArray[np.int64]) -> NDArray[np.float64]:
        cosine[np.arange(len(number)), number] = -np.inf
        cosine[:, ~has_samples] = -np.inf
        count = min(near, int(has_samples.sum()) - 1)
        if count < 1:
            return np.ones(len(number))
        nearest = -np.sort(np.partition(-cosine, count - 1, axis=1)[:, :count], axis=1)
        return np.asarray(np.where(has_samples[number], 1 - nearest.mean(axis=1, dtype=np.float64), 0.0))

    # the mean cosine to the unit centroid is the length of the mean vector
    intra = np.where(has_samples, 1 - np.linalg.norm(sums, axis=1) / np.maximum(1, size), 0.0)
    return np.asarray(against_all(centroids, to_nearest) * np.maximum(intra, 0.0))


def project(
    wanted: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64], total: int
) -> NDArray[np.float64]:
    """Return the point closest to `wanted` with sum `total` between two bounds; O(v log v).

    The sum of ``clip(wanted + a, low, high)`` is piecewise linear and does not fall with `a`; its breakpoints are where
    a number leaves or reaches a bound, and `a` is interpolated between two of them.

    Examples
    --------
    >>> project(np.array([6.0, 3.0, 1.0]), np.array([0, 0, 2]), np.array([5, 9, 9]), 10).tolist()
    [5.0, 3.0, 2.0]
    """
    breakpoints = np.unique(np.concatenate([low - wanted, high - wanted]))
    first, last = 0, len(breakpoints) - 1
    while last - first > 1:
        middle = (first + last) // 2
        below = np.clip(wanted + breakpoints[middle], low, high).sum() <= total
        first, last = (middle, last) if below else (first, middle)
    left, right = (np.clip(wanted + breakpoints[at], low, high) for at in (first, last))
    rise = right.sum() - left.sum()
    fraction = min(1.0, max(0.0, (total - left.sum()) / rise)) if rise > 0 else 0.0
    return np.asarray(left + fraction * (right - left))
