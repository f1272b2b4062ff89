"""Evenly from the largest themes down to the smallest: a tree of clusters, shared out level by level."""

from __future__ import annotations

from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.data.groups import grouped_by_number
from recipe.engine import each
from recipe.errors import ConfigError
from recipe.stages.balance._geometry import sums_of, unit
from recipe.stages.balance.even import balance as even

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recipe.stages.balance._groups import Groups

ROUNDS = 50


def balance(
    counts: NDArray[np.int64], size: int, *, groups: Groups, levels: int = 3, branch: int = 10, seed: int = 0
) -> NDArray[np.int64]:
    """Share the size evenly among the themes of the top level, of each theme among its parts, down to the clusters.

    The clusters are the leaves; k-means on their centroids finds the level above, and so on upward, each cluster
    counted once whatever its size. What a part cannot give goes to its siblings evenly, before it goes elsewhere.
    O(n d + v v d / branch) for v clusters.

    Parameters
    ----------
    counts
        (v,) int64 supply of each cluster.
    size
        Samples to share out, at most the sum of the counts.
    groups
        Which samples each cluster has, and the vectors of all: unit rows.
    levels
        Levels of the tree with the clusters themselves, from 1, which is the rule `even`; fewer where a level would
        have one theme only.
    branch
        Parts of a theme on average, from 2.
    seed
        Any integer: draws the first centroids of each level.

    Returns
    -------
    ndarray
        (v,) int64, sum `size`, none above its count. A cluster in a crowded theme may get none.

    Raises
    ------
    ConfigError
        If a knob is out of its range.

    References
    ----------
    Vo et al. 2024, Automatic Data Curation for Self-Supervised Learning: A Clustering-Based Approach, sections 3.2 and
    3.3; second-hand. The published code has four levels, and clusters anew around the centroids of samples drawn from
    each level ("resampling"), which is left out here. There the sum may miss the
    size by rounding; here it is exact.

    Examples
    --------
    >>> from recipe.stages.balance._groups import Groups
    >>> points = np.array([[1, 0], [0.99, 0.141], [0, 1]], dtype=np.float32)  # two of one theme, one of another
    >>> groups = Groups(points, [np.array([0]), np.array([1]), np.array([2])])
    >>> balance(np.array([50, 50, 50]), 40, groups=groups, levels=2, branch=2).tolist()
    [10, 10, 20]
    """
    themes = tree(groups, levels=levels, branch=branch, seed=seed)
    return poured(themes, counts, size, even)


def weights(
    counts: NDArray[np.int64], *, groups: Groups, levels: int = 3, branch: int = 10, seed: int = 0
) -> NDArray[np.float64]:
    """Return the shares that are asked for, whatever can be supplied: (v,) float64, sum 1."""
    supply = counts.astype(np.float64)

    def equally(parts: NDArray[np.float64], share: float) -> NDArray[np.float64]:
        return np.asarray(np.where(parts > 0, share / max(1, int((parts > 0).sum())), 0.0))

    return poured(tree(groups, levels=levels, branch=branch, seed=seed), supply, 1.0, equally)


def tree(groups: Groups, *, levels: int, branch: int, seed: int) -> list[NDArray[np.int64]]:
    """Return the parent of each node, level by level from the clusters upward; the last level's parent is the whole.

    Raises
    ------
    ConfigError
        If a knob is out of its range.
    """
    if levels < 1 or branch < 2:  # noqa: PLR2004  a tree of one part a theme is none
        got = f"levels={levels}, branch={branch}"
        raise ConfigError(f"balance.hierarchical: expected levels from 1 and branch from 2 on, got {got}")
    points = unit(sums_of(groups))
    parents = []
    for _ in range(levels - 1):
        if (count := ceil(len(points) / branch)) < 2:  # noqa: PLR2004  one theme is the whole
            break
        ((parent, points),) = each(partial(_themes, count=count, seed=seed), [points], label="balance: themes")
        parents.append(parent)
    return [*parents, np.zeros(len(points), np.int64)]


def _themes(points: NDArray[np.float32], count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find so many themes of some unit points: the theme of each, and the unit centroids; spherical k-means."""
    import faiss  # noqa: PLC0415  heavy

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the thread that asks
    try:
        trainer = faiss.Kmeans(
            points.shape[1], count, niter=ROUNDS, seed=seed, spherical=True, min_points_per_centroid=1
        )
        trainer.train(points)
        nearest = trainer.index.search(points, 1)[1][:, 0]
    finally:
        faiss.omp_set_num_threads(threads)
    return nearest.astype(np.int64), np.asarray(trainer.centroids, dtype=np.float32)


def poured(
    parents: list[NDArray[np.int64]], supply: NDArray[Any], total: float, share: Callable[[Any, Any], NDArray[Any]]
) -> NDArray[Any]:
    """Share a total down a tree: at each node among its children, by a rule that knows what each of them can give.

    Parameters
    ----------
    parents
        The parent of each node, level by level from the leaves upward.
    supply
        (v,) what each leaf can give.
    total
        What the root has to share.
    share
        Supplies of some children and what they get together, to what each gets.

    Returns
    -------
    ndarray
        (v,) what each leaf gets.
    """
    held = [supply]
    for parent in parents:
        sums = np.zeros(int(parent.max(initial=0)) + 1, supply.dtype)
        np.add.at(sums, parent, held[-1])
        held.append(sums)
    got = np.array([total], supply.dtype)
    for parent, here in zip(reversed(parents), reversed(held[:-1]), strict=True):
        given = np.zeros_like(here)
        for node, children in enumerate(grouped_by_number(np.arange(len(parent)), parent, len(got))):
            if got[node] > 0:
                given[children] = share(here[children], got[node].item())
        got = given
    return got
