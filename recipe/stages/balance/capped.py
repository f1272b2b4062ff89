"""Proportional to the counts, with each count capped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError
from recipe.stages.balance.proportional import apportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import Positive, Ratio


def balance(counts: NDArray[np.int64], size: int, *, k: Positive = 3000, t: Ratio = 1.0) -> NDArray[np.int64]:
    """Share the size in proportion to ``min(counts, k) ** (1 / t)`` (examples-proportional mixing).

    Parameters
    ----------
    counts
        (m,) int64 supply of each value.
    size
        Samples to share out, at most the sum of the counts.
    k
        Cap of a count, above 0: samples from 1 on, or a share of all samples below 1; the default is FLAN's.
    t
        Temperature of the capped counts, from 1 (unchanged) towards infinity (even).

    Returns
    -------
    ndarray
        (m,) int64, sum `size`, none above its count.

    Raises
    ------
    ConfigError
        If the cap is not above 0, or the temperature below 1.

    References
    ----------
    Raffel et al. 2020 (T5), section 3.5.2; Wei et al. 2022 (FLAN), section 2.1. T5 raises the capped shares to the
    power 1/t in the same way.

    Examples
    --------
    >>> balance(np.array([1000, 90_000]), 400, k=3000).tolist()
    [100, 300]
    >>> balance(np.array([100, 900]), 40, k=0.4, t=2).tolist()  # square roots of 100 and 400
    [13, 27]
    """
    return apportion(weights(counts, k=k, t=t), counts, size)


def weights(counts: NDArray[np.int64], *, k: float = 3000, t: float = 1.0) -> NDArray[np.float64]:
    """Return the wanted shares, regardless of supply: (m,) float64, up to a factor."""
    if not (k > 0 and t >= 1):  # so that NaN is refused too
        raise ConfigError(f"balance.capped: expected a cap k above 0 and a temperature t from 1 on, got k={k}, t={t}")
    cap = k if k >= 1 else k * float(counts.sum())
    return np.power(np.minimum(counts, cap), 1 / t, dtype=np.float64)
