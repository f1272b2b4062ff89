"""Cells fine enough that a sample and its neighbours are mostly in one: what blocks are made of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import each
from recipe.engine.seed import generator
from recipe.stages.select._facility.tasks import per_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors

POINTS = 100  # points a cell, but
MOST = 2048  # so many cells at most, for every point is compared with all of them
SAMPLE = 20  # points a cell to learn from
ROUNDS = 4
STRIDE = 4000  # points that are compared at once


def fine_cells(
    vectors: Vectors, rows: NDArray[np.int64], cluster: NDArray[np.int32], *, seed: int
) -> NDArray[np.int32]:
    """Return the clusters given, if they are fine, or finer ones found by a few rounds of spherical k-means.

    A cluster that blends many themes tears each of them: their samples lie in whichever cluster was nearer by chance,
    and blocks of such clusters hold few neighbours. Here a cell has about `POINTS` samples, as long as there are no
    more than `MOST` cells. O(n d MOST).

    Parameters
    ----------
    vectors
        (n, d) float32 or float16 unit rows.
    rows
        (m,) rows of it.
    cluster
        (m,) int32, aligned with them.
    seed
        Of the lot that draws what to learn from.

    Returns
    -------
    ndarray
        (m,) int32, aligned with `rows`.
    """
    count = min(len(rows) // POINTS, MOST)
    if count <= 2 * len(np.unique(cluster)):
        return cluster
    lot = generator(seed, "select.cells").permutation(len(rows))[: count * SAMPLE]
    centres = _learn(rows_of(vectors, rows[lot]), count)
    strides = [rows[first : first + STRIDE] for first in range(0, len(rows), STRIDE)]
    return np.concatenate(per_block(partial(nearest_cell, centres), vectors, strides, label="select: cells"))


def nearest_cell(centres: NDArray[np.float32], vectors: Vectors, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the number of the nearest centre of some rows; ties to the smaller."""
    nearest: NDArray[np.int32] = np.argmax(rows_of(vectors, rows) @ centres.T, axis=1).astype(np.int32)
    return nearest


def _learn(points: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return centres of so many cells, starting from the first points; a cell that loses all its points stays."""
    centres = points[:count].copy()
    strides = [np.arange(first, min(first + STRIDE, len(points))) for first in range(0, len(points), STRIDE)]
    for _ in range(ROUNDS):
        label = np.concatenate(each(partial(nearest_cell, centres, points), strides, label="select: centres"))
        order = np.argsort(label, kind="stable")
        held, first = np.unique(label[order], return_index=True)
        sums = np.add.reduceat(points[order], first, axis=0)
        centres[held] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return centres
