"""Each value as often as in the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.stages.balance._rounding import fill, largest_remainder

if TYPE_CHECKING:
    from numpy.typing import NDArray


def balance(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Share the size in proportion to the counts.

    Parameters
    ----------
    counts
        (m,) int64 supply of each value.
    size
        Samples to share out, at most the sum of the counts.

    Returns
    -------
    ndarray
        (m,) int64, sum `size`, none above its count.

    Examples
    --------
    >>> balance(np.array([10, 30]), 4).tolist()
    [1, 3]
    """
    return apportion(weights(counts), counts, size)


def weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the wanted shares, regardless of supply: (m,) float64, up to a factor."""
    return counts.astype(np.float64)


def apportion(weights: NDArray[np.float64], counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Share the size in proportion to weights, with the counts as caps and at least one for every value in the pool.

    If the size is smaller than the number of values in the pool, there is no such minimum.
    """
    least = np.minimum(counts, 1) if size >= np.count_nonzero(counts) else np.zeros_like(counts)
    share = fill(weights, float(size), counts.astype(np.float64))
    if (share < least).any():
        share = least + fill(
            np.maximum(share - least, 0), float(size - least.sum()), (counts - least).astype(np.float64)
        )
    return largest_remainder(share, size, counts)
