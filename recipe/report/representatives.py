"""The pick that represents each sample, and the coordinates of each sample on a map of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.groups import grouped
from recipe.data.vectors import release, rows_of, unit
from recipe.engine import each, single_threaded
from recipe.engine.seed import shuffled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.vectors import Vectors

LEARNED = 20_000  # samples from which the axes of the map are computed
BLOCK = 8192  # rows that are compared or projected at a time
DIGITS = 4  # of coordinates and similarities


def representatives(pool: Pool, picked: NDArray[np.int64], seed: int) -> pl.DataFrame:
    """Return the pick that represents each sample, its similarity, and the sample's coordinates on the map.

    A sample is represented by the pick with the highest cosine among the picks of its own cluster; the smaller key wins
    a tie. The map is the plane of the two largest principal components of the eligible samples.
    O(n d (k / clusters + 2)).

    Parameters
    ----------
    pool
        n samples; those without vectors or clusters get nulls.
    picked
        (k,) rows of the mix.
    seed
        Any integer: samples the rows from which the axes are computed.

    Returns
    -------
    polars.DataFrame
        n rows: `nearest` (u32, row of the pick; null where the cluster has none), `similarity` (f32, its cosine), `x`
        and `y` (f32).
    """
    n = len(pool)
    nearest, similarity = np.full(n, -1), np.zeros(n, np.float32)
    place = np.full((n, 2), np.nan, np.float32)
    if pool.vectors is not None and len(picked):
        if "cluster" in pool.rows.columns:
            nearest, similarity = _nearest(pool.vectors, pool.rows["cluster"].to_numpy(), np.sort(picked))
        place = _project(pool.vectors, _axes(pool, pool.vectors, seed))
        release(pool.vectors)
    found = pl.Series(nearest >= 0)
    columns = {"nearest": pl.Series(nearest).cast(pl.UInt32, strict=False), "similarity": pl.Series(similarity)}
    shown = {name: pl.Series(np.ascontiguousarray(place[:, at])).fill_nan(None) for at, name in enumerate("xy")}
    return pl.select(pl.when(found).then(column).alias(name) for name, column in columns.items()).with_columns(**shown)


def _nearest(
    vectors: Vectors, cluster: NDArray[np.integer], picked: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the nearest pick of each row inside its cluster."""
    nearest, similarity = np.full(len(cluster), -1), np.zeros(len(cluster), np.float32)
    chosen = {cluster[picks[0]]: picks for picks in grouped(picked, cluster[picked])}
    tasks = [
        (rows[at : at + BLOCK], chosen[cluster[rows[0]]])
        for rows in grouped(np.arange(len(cluster)), cluster)
        if cluster[rows[0]] in chosen
        for at in range(0, len(rows), BLOCK)
    ]

    def compare(task: tuple[NDArray[np.int64], NDArray[np.int64]]) -> None:
        """Write the result to rows that no other task writes to."""
        rows, picks = task
        cosine = rows_of(vectors, rows) @ rows_of(vectors, picks).T
        best = cosine.argmax(axis=1)
        nearest[rows], similarity[rows] = picks[best], np.round(cosine[np.arange(len(rows)), best], DIGITS)

    each(compare, tasks, label="explain: representatives")
    nearest[picked], similarity[picked] = picked, 1  # also where a duplicate is as near
    return nearest, similarity


@single_threaded
def _axes(pool: Pool, vectors: Vectors, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the centre on the map and its (d, 2) axes; the largest entry of an axis is positive."""
    eligible = np.flatnonzero(pool.eligible)
    rows = np.sort(shuffled(eligible, pool.rows["key"], seed=seed, label="report.map")[:LEARNED])
    learned = rows_of(vectors, rows).astype(np.float64)
    middle = learned.mean(axis=0)
    spread = learned.T @ learned - len(rows) * middle[:, None] * middle  # products of rows have no rounding
    _, axes = np.linalg.eigh(spread)
    axes = axes[:, ::-1][:, :2] if axes.shape[1] > 1 else np.pad(axes, ((0, 0), (0, 1)))
    axes = unit((axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(2)])).T)
    return (middle * axes).sum(axis=1).astype(np.float32), axes.T


def _project(vectors: Vectors, axes: tuple[NDArray[np.float32], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the (n, 2) coordinates of all rows."""
    middle, plane = axes
    blocks = [slice(at, at + BLOCK) for at in range(0, len(vectors), BLOCK)]
    placed = each(lambda rows: np.round(rows_of(vectors, rows) @ plane - middle, DIGITS), blocks, label="explain: map")
    return np.concatenate(placed)
