"""Proportional to the counts, but no count speaks for more than a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.balance.proportional import apportion
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def balance(counts: NDArray[np.int64], size: int, *, k: int = 3000) -> NDArray[np.int64]:
    """Share the size in proportion to ``min(counts, k)`` (examples-proportional mixing).

    Parameters
    ----------
    counts
        (m,) int64 supply of each value.
    size
        Samples to share out, at most the sum of the counts.
    k
        Cap of a count, from 1; the default is FLAN's.

    Returns
    -------
    ndarray
        (m,) int64, sum `size`, none above its count.

    Raises
    ------
    ConfigError
        If the cap is below 1.

    References
    ----------
    Raffel et al. 2020 (T5), section 3.5.2; Wei et al. 2022 (FLAN), section 2.1.

    Examples
    --------
    >>> balance(np.array([1000, 90_000]), 400, k=3000).tolist()
    [100, 300]
    """
    if not k >= 1:  # so that NaN is refused too
        raise ConfigError(f"balance.capped: expected a cap from 1 on, got k={k}")
    return apportion(weights(counts, k=k), counts, size)


def weights(counts: NDArray[np.int64], *, k: int = 3000) -> NDArray[np.float64]:
    """Return the shares that are asked for, whatever can be supplied: (m,) float64, up to a factor."""
    return np.minimum(counts, k).astype(np.float64)
