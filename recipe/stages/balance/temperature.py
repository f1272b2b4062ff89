"""Between proportional and even: counts to the power 1/T."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError
from recipe.stages.balance.proportional import apportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import Ratio


def balance(counts: NDArray[np.int64], size: int, *, t: Ratio = 2.0) -> NDArray[np.int64]:
    """Share the size in proportion to ``counts ** (1 / t)``.

    Parameters
    ----------
    counts
        (m,) int64 supply of each value.
    size
        Samples to share out, at most the sum of the counts.
    t
        Temperature, from 1 (proportional) towards infinity (even). The default of 2 is the best value tried by T5.

    Returns
    -------
    ndarray
        (m,) int64, sum `size`, none above its count.

    Raises
    ------
    ConfigError
        If the temperature is below 1.

    References
    ----------
    Raffel et al. 2020, Exploring the Limits of Transfer Learning with T5, section 3.5.2.

    Examples
    --------
    >>> balance(np.array([100, 10_000]), 110, t=2).tolist()
    [10, 100]
    """
    if not t >= 1:  # so that NaN is refused too
        raise ConfigError(f"balance.temperature: expected a temperature from 1 on, got t={t}; 1 is proportional")
    return apportion(weights(counts, t=t), counts, size)


def weights(counts: NDArray[np.int64], *, t: float = 2.0) -> NDArray[np.float64]:
    """Return the wanted shares, regardless of supply: (m,) float64, up to a factor."""
    return np.power(counts, 1 / t, dtype=np.float64)
