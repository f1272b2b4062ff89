"""Blocks of about a thousand neighbouring points: small enough that all their similarities stay in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def cut_blocks(vectors: NDArray[np.float32], cluster: NDArray[np.int32], *, most: int) -> list[NDArray[np.int64]]:
    """Group whole clusters, and cut clusters that are too large, into blocks of at most `most` points.

    The pool is halved again and again between two far clusters, until a part is small enough; when only one cluster is
    left in a part (half the pool in one cluster, say) its points are halved in the same way. Blocks hold neighbours,
    and at least about half of `most`, whatever the number of clusters. O(n d log(n / most)).

    Parameters
    ----------
    vectors
        (n, d) float32 unit rows.
    cluster
        (n,) int32.
    most
        Points a block, from 1.

    Returns
    -------
    list of ndarray
        Rows of each block, ascending; every row stands in one of them.
    """
    order = np.argsort(cluster, kind="stable").astype(np.int64)
    members = [np.sort(rows) for rows in np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1)]
    waiting = [(centres_of(vectors, members), members)]
    blocks = []
    while waiting:
        centres, parts = waiting.pop()
        sizes = np.array([len(part) for part in parts])
        if sizes.sum() <= most:
            blocks.append(np.sort(np.concatenate(parts)))
        elif len(parts) == 1:
            halves = _halve(vectors[parts[0]], np.ones(sizes[0], np.int64))
            waiting.extend((centres, [parts[0][half]]) for half in reversed(halves))
        else:
            halves = _halve(centres, sizes)
            waiting.extend((centres[half], [parts[i] for i in half]) for half in reversed(halves))
    return blocks


def _halve(points: NDArray[np.float32], weights: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split points into two parts of about equal weight, by where they lie between two far ones.

    The two are the point farthest from the mean, and the point farthest from that one. No part is empty.
    """
    far = points[np.argmin(points @ points.mean(axis=0))]
    other = points[np.argmin(points @ far)]
    order = np.argsort(points @ (far - other), kind="stable")
    passed = np.cumsum(weights[order]) - weights[order] / 2
    at = min(max(1, int(np.searchsorted(passed, weights.sum() / 2))), len(order) - 1)
    return np.sort(order[:at]), np.sort(order[at:])


def near_blocks(centres: NDArray[np.float32], weights: NDArray[np.int64], *, reach: int) -> list[NDArray[np.int64]]:
    """List for each block itself and the nearest blocks, until their weights sum to `reach`.

    Parameters
    ----------
    centres
        (b, d) float32 unit rows.
    weights
        (b,) int64, as candidates of each block.
    reach
        How much weight is enough.

    Returns
    -------
    list of ndarray
        Block numbers, ascending.
    """
    similarity = centres @ centres.T
    np.fill_diagonal(similarity, np.inf)
    order = np.argsort(-similarity, axis=1, kind="stable")
    enough = (np.cumsum(weights[order], axis=1) < reach).sum(axis=1) + 1
    return [np.sort(order[b, : enough[b]]) for b in range(len(centres))]


def centres_of(vectors: NDArray[np.float32], blocks: list[NDArray[np.int64]]) -> NDArray[np.float32]:
    """Return the (b, d) unit mean of each block."""
    means = np.stack([vectors[rows].mean(axis=0) for rows in blocks])
    length = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.where(length == 0, 1, length), dtype=np.float32)
