"""The value by which samples are ranked: one column as it is, or a weighted sum of the ranks of several."""

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
    """Return the value of each of some rows, higher is better; O(m log m) per column.

    Parameters
    ----------
    pool
        n samples with the named columns.
    rows
        (m,) rows of it.
    by
        A column of numbers as it is, or columns to weights: a column then counts by its rank among these rows, 0..1,
        with the mean rank for equal values, so that scores of any unit may be added.
    knob
        Stage and knob for error messages, such as ``"select.ranked: by"``.

    Returns
    -------
    ndarray
        (m,) float64.

    Raises
    ------
    ConfigError
        If no column is named, or a column does not exist, is not numeric, or has no number for some row.
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
        raise ConfigError(f"{knob} names '{name}', which is not a score, {hint}")
    if not (column := pool.rows[name]).dtype.is_numeric():
        raise ConfigError(f"{knob}: expected a column of numbers, got {name} of {column.dtype}")
    values = column.gather(rows).cast(pl.Float64).fill_null(np.nan).to_numpy()
    if lacking := int(np.isnan(values).sum()):
        raise ConfigError(f"{knob}: expected a number for each sample, {lacking} have no {name}")
    return np.asarray(values)
