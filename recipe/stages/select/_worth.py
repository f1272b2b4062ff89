"""What samples are ranked by: one column as it stands, or the ranks of several, weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.ranks import rank_shares
from recipe.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def worth_of(pool: Pool, rows: NDArray[np.int64], by: str | Mapping[str, float], knob: str) -> NDArray[np.float64]:
    """Return what each of some rows is worth: the larger, the more it is wanted; O(m log m) a column.

    Parameters
    ----------
    pool
        n samples with the columns that are named.
    rows
        (m,) rows of it.
    by
        A column of numbers as it stands, or columns to weights: a column then counts by its rank among these rows, 0..1
        and the mean rank for equal ones, so that scores of any unit may be added.
    knob
        What asks, as ``"select.ranked: by"``, for what an error says.

    Returns
    -------
    ndarray
        (m,) float64.

    Raises
    ------
    ConfigError
        If nothing is named, or a column is not there, holds no numbers, or not one for each row.
    """
    if not by:
        raise ConfigError(f"{knob}: expected a score, or scores and their weights, got by={by!r}")
    if isinstance(by, str):
        return _numbers(pool, rows, by, knob)
    worth = np.zeros(len(rows))
    for name, weight in by.items():
        worth += weight * rank_shares(_numbers(pool, rows, name, knob))
    return worth


def _numbers(pool: Pool, rows: NDArray[np.int64], name: str, knob: str) -> NDArray[np.float64]:
    """Return a column of numbers."""
    if name not in pool.rows.columns:
        hint = nearest(name, pool.rows.columns)
        raise ConfigError(f"{knob} names '{name}', which is no score, {hint}")
    if not (column := pool.rows[name]).dtype.is_numeric():
        raise ConfigError(f"{knob}: expected a column of numbers, got {name} of {column.dtype}")
    values = column.gather(rows).cast(pl.Float64).fill_null(np.nan).to_numpy()
    if lacking := int(np.isnan(values).sum()):
        raise ConfigError(f"{knob}: expected a number for each sample, {lacking} have no {name}")
    return np.asarray(values)
