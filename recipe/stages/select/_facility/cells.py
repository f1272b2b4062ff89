"""Fine cells, from which blocks are built, so that a sample and its neighbours are mostly in the same one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.means import sums_by
from recipe.data.vectors import rows_of, unit
from recipe.engine import each
from recipe.engine.seed import generator
from recipe.stages.select._facility.tasks import per_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors

POINTS = 100  # per cell, unless there would be more than
MOST = 2048  # cells, since every point is compared with all of them
SAMPLE = 20  # training points per cell
ROUNDS = 4
STRIDE = 4000  # points that are compared at once


def fine_cells(
    vectors: Vectors, rows: NDArray[np.int64], cluster: NDArray[np.int32], *, seed: int
) -> NDArray[np.int32]:
    """Return the given clusters if they are fine enough, else finer ones by a few rounds of spherical k-means.

    Coarse clusters mix many themes and split each of them at random, so that blocks made of them contain few
    neighbours. Here a cell has about `POINTS` samples, as long as there are no more than `MOST` cells. O(n d MOST).

    Parameters
    ----------
    vectors
        (n, d) float32 or float16 unit rows.
    rows
        (m,) rows of it.
    cluster
        (m,) int32, aligned with them.
    seed
        Seed of the training sample.

    Returns
    -------
    ndarray
        (m,) int32, aligned with `rows`.
    """
    count = min(len(rows) // POINTS, MOST)
    if count <= 2 * len(np.unique(cluster)):
        return cluster
    sample = generator(seed, "select.cells").permutation(len(rows))[: count * SAMPLE]
    centres = _learn(rows_of(vectors, rows[sample]), count)
    strides = [rows[first : first + STRIDE] for first in range(0, len(rows), STRIDE)]
    return np.concatenate(per_block(partial(nearest_cell, centres), vectors, strides, label="select: cells"))


def nearest_cell(centres: NDArray[np.float32], vectors: Vectors, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the number of the nearest centre of each row; ties go to the smaller number."""
    nearest: NDArray[np.int32] = np.argmax(rows_of(vectors, rows) @ centres.T, axis=1).astype(np.int32)
    return nearest


def _learn(points: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the centres of `count` cells, starting from the first points; an empty cell keeps its centre."""
    centres = points[:count].copy()
    strides = [np.arange(first, min(first + STRIDE, len(points))) for first in range(0, len(points), STRIDE)]
    for _ in range(ROUNDS):
        label = np.concatenate(each(partial(nearest_cell, centres, points), strides, label="select: centres"))
        sums, sizes = sums_by(points, label, count)
        centres[sizes > 0] = unit(sums[sizes > 0])
    return centres
