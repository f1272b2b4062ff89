"""The same number of samples for each value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.stages.balance.proportional import apportion

if TYPE_CHECKING:
    from numpy.typing import NDArray


def balance(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Share the size equally; what a rare value cannot supply goes to the others equally.

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

    References
    ----------
    Water-filling, as in Vo et al. 2024, Automatic Data Curation for Self-Supervised Learning, section 3.3.

    Examples
    --------
    >>> balance(np.array([1, 50, 50]), 11).tolist()
    [1, 5, 5]
    """
    return apportion(weights(counts), counts, size)


def weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the wanted shares, regardless of supply: (m,) float64, up to a factor."""
    return (counts > 0).astype(np.float64)
