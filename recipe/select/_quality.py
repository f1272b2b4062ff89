"""Named scores as one number a sample: their ranks, weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.pool import Pool


def weigh_scores(pool: Pool, rows: NDArray[np.int64], by: Mapping[str, float], *, knob: str) -> NDArray[np.float64]:
    """Return the weighted sum of the ranks of some rows in named scores, each rank on 0..1; O(m log m) a score.

    A rank, and not the score itself, so that scores of any unit may be added and an outlier counts no more than first.

    Parameters
    ----------
    pool
        n samples with the named scores.
    rows
        (m,) int64 rows that are ranked among each other; equal scores share the mean of their ranks.
    by
        Score to weight.
    knob
        What the selector calls `by`, for the error.

    Returns
    -------
    ndarray
        (m,) float64, from 0 to the sum of the weights.

    Raises
    ------
    ConfigError
        If the pool has no such score.
    """
    for name in by:
        if name not in pool.rows.columns:
            raise ConfigError(f"select: {knob} names '{name}', which is no score, {nearest(name, pool.rows.columns)}")
    table = pool.rows.select(list(by))[rows] if by else pool.rows.select([])
    total = np.zeros(len(rows))
    for name, weight in by.items():
        total += weight * table[name].rank("average").to_numpy() / len(rows)
    return total
