"""Shares that the recipe names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError
from recipe.stages.balance._rounding import fill, largest_remainder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from recipe.config.ranges import Weight


def balance(
    counts: NDArray[np.int64], size: int, *, weights: Sequence[Weight] | Mapping[str, Weight]
) -> NDArray[np.int64]:
    """Share the size in proportion to given weights; what a value cannot supply goes to the others.

    Parameters
    ----------
    counts
        (m,) int64 supply of each value.
    size
        Samples to share out, at most the sum of the counts.
    weights
        (m,) not negative, not all zero; they need not sum to one. A recipe gives them by value:
        ``task: {shares: {weights: {conversation: 2, detail_description: 1}}}``; a value that it does not name gets
        none.

    Returns
    -------
    ndarray
        (m,) int64, sum `size`, none above its count.

    Raises
    ------
    ConfigError
        If there is not one weight for each value, a weight is negative or not finite, or none is positive.

    Examples
    --------
    >>> balance(np.array([100, 100, 100]), 8, weights=[3, 1, 0]).tolist()
    [6, 2, 0]
    """
    given = [*weights.values()] if hasattr(weights, "values") else weights
    share = np.asarray(given, dtype=np.float64)
    if share.shape != counts.shape or not ((share >= 0) & np.isfinite(share)).all() or not share.any():
        expected = f"{len(counts)} finite weights from 0 on, one of them positive"
        raise ConfigError(f"balance.shares: expected {expected}, got weights={list(weights)}")
    return largest_remainder(fill(share, float(size), counts.astype(np.float64)), size, counts)
