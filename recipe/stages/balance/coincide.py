"""More samples for clusters that are diverse and similar to other clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import unit
from recipe.errors import ConfigError
from recipe.stages.balance._geometry import against_all, mean_of_pairs, sums_of
from recipe.stages.balance.proportional import apportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Positive
    from recipe.stages.balance._groups import Groups

SAME = 0.9  # centroids with a higher cosine do not count for transferability
TINY = 1e-12  # lower bound of a density, which is a divisor


def balance(
    counts: NDArray[np.int64],
    size: int,
    *,
    groups: Groups,
    tau: Positive = 0.1,
    sigma: Positive = 1.0,
    pairs: From2 = 2000,
) -> NDArray[np.int64]:
    """Share the size in proportion to ``exp(S / (tau * D))`` (transferability S, density D), within the supply.

    S is the mean cosine of a cluster's centroid to the others, without those above 0.9; D is the mean of
    ``exp(-|x - y|^2 / (2 sigma^2))`` over all pairs of its samples, including each sample with itself.
    O(n pairs d + v v d) for v clusters.

    Parameters
    ----------
    counts
        (v,) int64 supply of each cluster.
    size
        Samples to share out, at most the sum of the counts.
    groups
        The samples of each cluster, and the vectors of all: unit rows.
    tau
        Temperature, above 0; the smaller, the more the clusters with the largest shares get.
    sigma
        Width of the Gaussian kernel, above 0: a distance of unit rows, which are 0..2 apart.
    pairs
        Samples of a cluster that are compared with each other, from 2; a larger cluster is sampled.

    Returns
    -------
    ndarray
        (v,) int64, sum `size`, none above its count; at least one from each cluster if the size allows.

    Raises
    ------
    ConfigError
        If a knob is out of its range.

    References
    ----------
    Lee et al. 2024, Concept-skill Transferability-based Data Selection for Large Vision-Language Models (COINCIDE),
    section 3.3. The published code goes through the clusters by descending share, rounds each number and clips it to
    the supply, so that the size may be missed; here what a cluster cannot supply goes to all others in proportion to
    their shares. A cluster of one sample has density 1; one without others to compare with has S = 0. The published
    code computes S from only the text half of its vectors and from the centroids of k-means; here it is the whole
    vector, and the mean of the samples that may be selected.

    Examples
    --------
    >>> from recipe.stages.balance._groups import Groups
    >>> points = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]  # two copies, and two that differ
    >>> groups = Groups(points, [np.array([0, 1]), np.array([2, 3])])
    >>> balance(np.array([20, 20]), 10, groups=groups, tau=1).tolist()
    [4, 6]
    """
    return apportion(weights(counts, groups=groups, tau=tau, sigma=sigma, pairs=pairs), counts, size)


def weights(
    counts: NDArray[np.int64], *, groups: Groups, tau: float = 0.1, sigma: float = 1.0, pairs: int = 2000
) -> NDArray[np.float64]:
    """Return the wanted shares, regardless of supply: (v,) float64, up to a factor."""
    if not (tau > 0 and sigma > 0 and pairs >= 2):  # noqa: PLR2004  a pair
        got = f"tau={tau}, sigma={sigma}, pairs={pairs}"
        raise ConfigError(f"balance.coincide: expected tau and sigma above 0 and pairs from 2 on, got {got}")
    others = mean_of_pairs(groups, lambda cosine: np.exp((cosine - 1) / sigma**2), most=pairs)
    sizes = np.array([max(1, len(rows)) for rows in groups.members])
    density = (1 + (sizes - 1) * others) / sizes  # a sample is a pair with itself, as in the published code
    exponent = transferability(groups) / (tau * np.maximum(density, TINY))
    known = counts > 0
    highest = exponent[known].max(initial=-np.inf)
    return np.where(known, np.exp(np.where(known, exponent - highest, 0.0)), 0.0)


def transferability(groups: Groups) -> NDArray[np.float64]:
    """Return the mean cosine of each centroid to the others, without those above `SAME`; 0 if none is left."""
    has_samples = np.array([len(rows) > 0 for rows in groups.members])

    def mean(cosine: NDArray[np.float32], number: NDArray[np.int64]) -> NDArray[np.float64]:
        counted = (cosine <= SAME) & has_samples
        counted[np.arange(len(number)), number] = False
        total = np.where(counted, cosine, 0).sum(axis=1, dtype=np.float64)
        return np.asarray(total / np.maximum(1, counted.sum(axis=1)))

    return against_all(unit(sums_of(groups)), mean)
