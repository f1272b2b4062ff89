"""Ranks of values, so that quantities of different units can be combined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def rank_shares(values: pl.Series | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rank of each value among all, divided by their number: 1 for the largest; O(m log m).

    Parameters
    ----------
    values
        (m,) finite numbers.

    Returns
    -------
    ndarray
        (m,) float64 in 0..1; equal values share the mean of their ranks.

    Examples
    --------
    >>> rank_shares(pl.Series([3.0, 1.0, 3.0, 9.0])).tolist()
    [0.625, 0.25, 0.625, 1.0]
    """
    ranks: NDArray[np.float64] = pl.Series(values).rank("average").to_numpy() / max(1, len(values))
    return ranks
