"""An even share at every level of a tree of clusters, from the top themes down to the clusters."""

from __future__ import annotations

from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.data.groups import grouped_by_number
from recipe.data.means import nearest_mean, spherical_means
from recipe.data.vectors import unit
from recipe.engine import each
from recipe.engine.seed import generator
from recipe.errors import ConfigError
from recipe.stages.balance._geometry import sums_of
from recipe.stages.balance.even import balance as even

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recipe.config.ranges import From1, From2, Integer
    from recipe.stages.balance._groups import Groups

ROUNDS = 50


def balance(
    counts: NDArray[np.int64], size: int, *, groups: Groups, levels: From1 = 3, branch: From2 = 10, seed: Integer = 0
) -> NDArray[np.int64]:
    """Share the size evenly among the themes of the top level, each theme's among its children, down to the clusters.

    The clusters are the leaves; k-means on their centroids finds the level above, and so on upwards; each cluster
    counts once, regardless of its size. What a node cannot supply goes evenly to its siblings first, and only then
    elsewhere. O(n d + v v d / branch) for v clusters.

    Parameters
    ----------
    counts
        (v,) int64 supply of each cluster.
    size
        Samples to share out, at most the sum of the counts.
    groups
        The samples of each cluster, and the vectors of all: unit rows.
    levels
        Levels of the tree including the clusters, from 1, which is the rule `even`; fewer if a level would have only
        one theme.
    branch
        Mean number of children of a theme, from 2.
    seed
        Any integer: seed for the initial centroids of each level.

    Returns
    -------
    ndarray
        (v,) int64, sum `size`, none above its count. A cluster in a theme with many clusters may get none.

    Raises
    ------
    ConfigError
        If a knob is out of its range.

    References
    ----------
    Vo et al. 2024, Automatic Data Curation for Self-Supervised Learning: A Clustering-Based Approach, sections 3.2 and
    3.3; not checked against the paper. The published code has four levels, and repeats the clustering on samples drawn
    from each level ("resampling"), which is left out here. There the sum may miss the size by rounding; here it is
    exact.

    Examples
    --------
    >>> from recipe.stages.balance._groups import Groups
    >>> points = np.array([[1, 0], [0.99, 0.141], [0, 1]], dtype=np.float32)  # two of one theme, one of another
    >>> groups = Groups(points, [np.array([0]), np.array([1]), np.array([2])])
    >>> balance(np.array([50, 50, 50]), 40, groups=groups, levels=2, branch=2).tolist()
    [10, 10, 20]
    """
    themes = tree(groups, levels=levels, branch=branch, seed=seed)
    return divide_down(themes, counts, size, even)


def weights(
    counts: NDArray[np.int64], *, groups: Groups, levels: int = 3, branch: int = 10, seed: int = 0
) -> NDArray[np.float64]:
    """Return the wanted shares, regardless of supply: (v,) float64, sum 1."""
    supply = counts.astype(np.float64)

    def equally(children: NDArray[np.float64], share: float) -> NDArray[np.float64]:
        return np.asarray(np.where(children > 0, share / max(1, int((children > 0).sum())), 0.0))

    return divide_down(tree(groups, levels=levels, branch=branch, seed=seed), supply, 1.0, equally)


def tree(groups: Groups, *, levels: int, branch: int, seed: int) -> list[NDArray[np.int64]]:
    """Return the parent of each node, level by level from the clusters upwards; that of the last level is the root.

    Raises
    ------
    ConfigError
        If a knob is out of its range.
    """
    if levels < 1 or branch < 2:  # noqa: PLR2004  a theme with one child is no theme
        got = f"levels={levels}, branch={branch}"
        raise ConfigError(f"balance.hierarchical: expected levels from 1 and branch from 2 on, got {got}")
    points = unit(sums_of(groups))
    parents = []
    for _ in range(levels - 1):
        if (count := ceil(len(points) / branch)) < 2:  # noqa: PLR2004  one theme is the root
            break
        ((parent, points),) = each(partial(_themes, count=count, seed=seed), [points], label="balance: themes")
        parents.append(parent)
    return [*parents, np.zeros(len(points), np.int64)]


def _themes(points: NDArray[np.float32], count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Cluster unit points into at most `count` themes by spherical k-means: the theme of each, and the unit means."""
    themes = spherical_means(points, count, rounds=ROUNDS, rng=generator(seed, "balance.themes"))
    occupied, theme = np.unique(nearest_mean(points, themes), return_inverse=True)  # equal means are one theme
    return theme.astype(np.int64), themes[occupied]


def divide_down(
    parents: list[NDArray[np.int64]], supply: NDArray[Any], total: float, share: Callable[[Any, Any], NDArray[Any]]
) -> NDArray[Any]:
    """Divide a total down a tree: at each node among its children, by a rule that is given the supply of each child.

    Parameters
    ----------
    parents
        The parent of each node, level by level from the leaves upwards.
    supply
        (v,) supply of each leaf.
    total
        The number to divide.
    share
        From the supplies of some children and their total to the number of each child.

    Returns
    -------
    ndarray
        (v,) the number of each leaf.
    """
    supplies = [supply]
    for parent in parents:
        sums = np.zeros(int(parent.max(initial=0)) + 1, supply.dtype)
        np.add.at(sums, parent, supplies[-1])
        supplies.append(sums)
    numbers = np.array([total], supply.dtype)
    for parent, available in zip(reversed(parents), reversed(supplies[:-1]), strict=True):
        shared = np.zeros_like(available)
        for node, children in enumerate(grouped_by_number(np.arange(len(parent)), parent, len(numbers))):
            if numbers[node] > 0:
                shared[children] = share(available[children], numbers[node].item())
        numbers = shared
    return numbers
