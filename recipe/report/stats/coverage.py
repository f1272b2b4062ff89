"""How well picks cover a pool: the mean best cosine of its samples to them, compared with that of a random mix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import release, rows_of
from recipe.engine import each
from recipe.engine.seed import shuffled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.vectors import Vectors

POINTS = 10_000  # maximum number of samples on which coverage is estimated
PAIRS = 400_000_000  # maximum number of similarities, so that a large mix has fewer points
BLOCK = 4096  # picks that points are compared with at a time
FARTHEST = 1024  # samples whose distance is computed at a time
ROUNDED = 1e-4  # bound of the rounding of similarities to the pick of the same cluster
DIGITS = 4


def coverage(vectors: Vectors, points: NDArray[np.int64], picked: NDArray[np.int64]) -> float:
    """Return the mean best cosine of some points to the picked ones; O(points picked d).

    Parameters
    ----------
    vectors
        (n, d) float16 or float32 unit rows, in memory or mapped from a file.
    points, picked
        Rows of it.

    Returns
    -------
    float
        On -1..1; 1 if every point is picked or has a picked duplicate.
    """
    return float(best_cosines(vectors, points, picked).sum(dtype=np.float64)) / max(1, len(points))


def best_cosines(vectors: Vectors, points: NDArray[np.int64], picked: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the best cosine of each point to the picked ones, which are read in blocks, in any order."""
    shown = rows_of(vectors, points)

    def best(part: NDArray[np.int64]) -> NDArray[np.float32]:
        chosen = rows_of(vectors, part).T
        return np.concatenate([(some @ chosen).max(axis=1) for some in np.array_split(shown, len(shown) // 2048 + 1)])

    ordered = np.sort(picked)
    parts = [ordered[at : at + BLOCK] for at in range(0, len(ordered), BLOCK)]
    none = np.full(len(points), -1, np.float32)
    found: NDArray[np.float32] = np.maximum.reduce([none, *each(best, parts, label="report: coverage")])
    return found


def estimate(pool: Pool, picked: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Estimate the coverage of the mix and of a random mix of the same size, and find the radius of the mix.

    Parameters
    ----------
    pool
        n samples with vectors.
    picked
        (k,) rows of the mix, from 1.
    seed
        Any integer: samples the points and the random mix.

    Returns
    -------
    dict
        As `Stats.coverage`.
    """
    if pool.vectors is None or not len(picked):
        return {}
    eligible = np.flatnonzero(pool.eligible)
    count = min(POINTS, max(1, PAIRS // len(picked)))

    points = np.sort(shuffled(eligible, pool.rows["key"], seed=seed, label="report.points")[:count])
    baseline = shuffled(eligible, pool.rows["key"], seed=seed, label="report.random")[: len(picked)]
    sides = {"mix": picked, "random": baseline}
    best = {name: best_cosines(pool.vectors, points, rows).astype(np.float64) for name, rows in sides.items()}
    values = {name: float(values.mean()) for name, values in best.items()}
    values["low"], values["random_low"] = (float(np.quantile(values, 0.05)) for values in best.values())
    values["error"] = max(float(values.std()) for values in best.values()) / len(points) ** 0.5
    values |= _radius(pool, pool.vectors, eligible, picked)
    release(pool.vectors)
    return {name: round(value, DIGITS) for name, value in values.items()} | {"points": len(points)}


def _radius(pool: Pool, vectors: Vectors, eligible: NDArray[np.int64], picked: NDArray[np.int64]) -> dict[str, float]:
    """Find the largest distance of a sample to its nearest pick, in the order of decreasing upper bounds.

    The distance to the nearest pick of its own cluster is an upper bound of a sample's distance, so the search ends
    when the next bound is not above the largest distance found: exact, with a few blocks of samples instead of all.
    """
    near = pool.rows["similarity"].to_numpy()[eligible] if "similarity" in pool.rows.columns else np.nan
    bound = np.where(np.isnan(near), 2.0, 1 - near + ROUNDED) * np.ones(len(eligible))
    bound[np.isin(eligible, picked)] = 0
    order = np.argsort(-bound, kind="stable")
    farthest, at, most = 0.0, 0, max(BLOCK, PAIRS // len(picked))
    while at < min(most, len(order)) and bound[order[at]] > farthest:
        block = order[at : at + FARTHEST]
        farthest = max(farthest, 1 - float(best_cosines(vectors, np.sort(eligible[block]), picked).min()))
        at += len(block)
    return {"radius": farthest, "radius_at_most": max(farthest, bound[order[at]]) if at < len(order) else farthest}
