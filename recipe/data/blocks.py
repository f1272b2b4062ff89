"""Blocks of about a thousand neighbouring points: small enough that all their similarities fit in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.groups import grouped
from recipe.data.vectors import rows_of, unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors

SAMPLE = 256  # points of a cluster or block from which its centre is computed
SIGHT = 4096  # points among which the two far ones are searched for
STRIDE = 8192  # points that are projected at once


def cut_blocks(
    vectors: Vectors, cluster: NDArray[np.int32], *, most: int, rows: NDArray[np.int64] | None = None
) -> list[NDArray[np.int64]]:
    """Group whole clusters, and split clusters that are too large, into blocks of at most `most` points.

    The pool is split in half repeatedly between two distant clusters, until a half is small enough; when only one
    cluster is left in it (half the pool in one cluster, say), its points are split in the same way. Blocks contain
    neighbours, and at least about half of `most` points, for any number of clusters. Only a few rows of the matrix are
    in memory at a time. O(n log n) for the clusters, O(n d log(c / most)) for clusters of c points that are too large.

    Parameters
    ----------
    vectors
        (n, d) float32 or float16 unit rows, in memory or mapped from a file.
    cluster
        (m,) int32, aligned with `rows`.
    most
        Points a block, from 1.
    rows
        (m,) rows of the matrix to split into blocks; all by default.

    Returns
    -------
    list of ndarray
        Positions in `rows` of each block, ascending; every row is in exactly one.
    """
    where = np.arange(len(vectors)) if rows is None else rows
    members = grouped(np.arange(len(where)), cluster)
    waiting = [(centres_of(vectors, (where[part] for part in members)), members)]
    blocks = []
    while waiting:
        centres, parts = waiting.pop()
        sizes = np.array([len(part) for part in parts])
        if sizes.sum() <= most:
            blocks.append(np.sort(np.concatenate(parts)))
        elif len(parts) == 1:
            halves = _halve_rows(vectors, where[parts[0]])
            waiting.extend((centres, [parts[0][half]]) for half in reversed(halves))
        else:
            halves = _halve(centres, sizes)
            waiting.extend((centres[half], [parts[i] for i in half]) for half in reversed(halves))
    return blocks


def _halve(points: NDArray[np.float32], weights: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split points into two halves of about equal weight, by their position between two distant ones; none is empty."""
    return _split(points @ _direction(points), weights)


def _halve_rows(vectors: Vectors, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows of a matrix into halves in the same way, with only some of them in memory at a time."""
    direction = _direction(rows_of(vectors, every(rows, SIGHT)))
    strides = (rows[first : first + STRIDE] for first in range(0, len(rows), STRIDE))
    passed = np.concatenate([rows_of(vectors, stride) @ direction for stride in strides])
    return _split(passed, np.ones(len(rows), np.int64))


def _direction(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the difference of two distant points: the farthest from the mean, and the farthest from that one."""
    far = points[np.argmin(points @ unit(points.mean(axis=0, keepdims=True))[0])]
    other = points[np.argmin(points @ far)]
    return np.asarray(far - other)


def _split(along: NDArray[np.float32], weights: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split positions, in the order of a number, where the weight before them exceeds half."""
    order = np.argsort(along, kind="stable")
    passed = np.cumsum(weights[order]) - weights[order] / 2
    at = min(max(1, int(np.searchsorted(passed, weights.sum() / 2))), len(order) - 1)
    return np.sort(order[:at]), np.sort(order[at:])


def every(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return at most so many of the rows, evenly spaced."""
    return rows[:: -(-len(rows) // count)]


def near_blocks(centres: NDArray[np.float32], weights: NDArray[np.int64], *, reach: int) -> list[NDArray[np.int64]]:
    """List for each block itself and the nearest blocks, until their weights sum to `reach`.

    Parameters
    ----------
    centres
        (b, d) float32 unit rows.
    weights
        (b,) int64, as candidates of each block.
    reach
        The weight that is enough.

    Returns
    -------
    list of ndarray
        Block numbers, ascending.
    """
    found = []
    for b, centre in enumerate(centres):  # one at a time: b x b numbers would not fit for a hundred thousand blocks
        similarity = centres @ centre
        similarity[b] = np.inf
        order = np.argsort(-similarity, kind="stable")
        enough = int((np.cumsum(weights[order]) < reach).sum()) + 1
        found.append(np.sort(order[:enough]))
    return found


def centres_of(vectors: Vectors, blocks: Iterable[NDArray[np.int64]]) -> NDArray[np.float32]:
    """Return the (b, d) unit mean of each block; of a large one, of at most `SAMPLE` of its rows."""
    return unit(np.stack([rows_of(vectors, every(rows, SAMPLE)).mean(axis=0) for rows in blocks]))
