"""For each sample, the nearest of those before it: exact, tile by tile, without a table of all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.data.vectors import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors

    Rows = NDArray[np.int64]
    Matrix = NDArray[np.float32]

TILE = 1024  # samples that are compared with as many others at once
ROUNDING = 1e-6  # a cosine this close below a threshold reaches it


class Tile(NamedTuple):
    """Some rows, (m, d) float32, and their squared lengths, (m,)."""

    points: Matrix
    squares: Matrix

    def take(self, numbers: Rows) -> Tile:
        """Return some of the rows."""
        return Tile(self.points[numbers], self.squares[numbers])


def in_blocks(vectors: Vectors, members: list[Rows], block: int) -> list[Rows]:
    """Split groups of more than `block` rows into blocks of neighbours; the others stay whole, rows ascending."""
    blocks = []
    for rows in members:
        if len(rows) <= block:
            blocks.append(rows)
        else:
            blocks += [rows[cut] for cut in cut_blocks(vectors, np.zeros(len(rows), np.int32), most=block, rows=rows)]
    return blocks


def nearest_earlier(vectors: Vectors, rows: Rows) -> Matrix:
    """Return the largest cosine of each row to the rows before it, or 0 if none is above; O(m^2 d) time, O(m d) memory.

    Parameters
    ----------
    vectors
        (n, d) float16 or float32 unit rows; cosines are divided by the lengths, so that copies have a cosine of 1.
    rows
        (m,) rows of it, in order.

    Returns
    -------
    ndarray
        (m,) float32 on 0..1; 0 for the first.

    Examples
    --------
    >>> nearest_earlier(np.eye(2, dtype=np.float32)[[0, 1, 1]], np.arange(3)).tolist()
    [0.0, 0.0, 1.0]
    """
    best = np.zeros(len(rows), np.float32)
    tiles: list[Tile] = []
    for at in range(0, len(rows), TILE):
        tile, here = tile_of(vectors, rows[at : at + TILE]), slice(at, at + TILE)
        for before in tiles:
            best[here] = np.maximum(best[here], cosines(tile, before).max(axis=1))
        best[here] = np.maximum(best[here], np.tril(cosines(tile, tile), -1).max(axis=1))
        tiles.append(tile)
    return np.minimum(best, 1)


def first_keepers(vectors: Vectors, rows: Rows, threshold: float) -> Rows:
    """Keep each row unless one kept before it is at least as similar as the threshold; O(m k d) for k kept.

    Parameters
    ----------
    vectors, rows
        As for `nearest_earlier`.
    threshold
        Cosine from which a row is dropped in favour of the first kept one that reaches it.

    Returns
    -------
    ndarray
        (m,) int64 row that is kept in place of each; itself where it is kept.

    Examples
    --------
    >>> points = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    >>> first_keepers(points, np.arange(3), 0.7).tolist(), first_keepers(points, np.arange(3), 0.5).tolist()
    ([0, 0, 2], [0, 0, 2])
    """
    least = np.float32(threshold - ROUNDING)
    keeper = rows.copy()
    kept: list[tuple[Rows, Tile]] = []
    for at in range(0, len(rows), TILE):
        tile = rows[at : at + TILE]
        points = tile_of(vectors, tile)
        found = np.full(len(tile), -1)
        for kept_rows, kept_points in kept:
            near = cosines(points, kept_points) >= least
            found = np.where((found < 0) & near.any(axis=1), kept_rows[near.argmax(axis=1)], found)
        remaining = np.flatnonzero(found < 0)
        near = cosines(points.take(remaining), points.take(remaining)) >= least
        own = np.full(len(remaining), -1)
        for i in range(len(remaining)):
            if own[i] < 0:
                own[i:] = np.where((own[i:] < 0) & near[i, i:], i, own[i:])
                own[i] = i
        found[remaining] = tile[remaining[own]]
        keeper[at : at + TILE] = found
        stays = np.flatnonzero(found == tile)
        if len(stays):
            kept.append((tile[stays], points.take(stays)))
    return keeper


def tile_of(vectors: Vectors, rows: Rows) -> Tile:
    """Return some rows of a matrix with their squared lengths, 1 for zeros."""
    points = rows_of(vectors, rows)
    squares = np.einsum("ij,ij->i", points, points)
    return Tile(points, np.where(squares == 0, np.float32(1), squares))


def cosines(some: Tile, others: Tile) -> Matrix:
    """Return the cosine of each row of a tile to each of another, (m, k) float32; that of copies is 1."""
    cosine = some.points @ others.points.T
    cosine /= np.sqrt(some.squares[:, None] * others.squares)
    return cosine
