"""Student's confidence interval for the mean of a few paired differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def mean_interval(differences: Sequence[float] | NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float]:
    """Return Student's confidence interval for the mean of some differences; O(n log n).

    It has its nominal coverage if the differences are normal, however few they are; a bootstrap of five contains the
    mean some 92 times in 100, not 95.

    Parameters
    ----------
    differences
        (n,) float64, n from 2, independent.
    level
        The probability that such an interval contains the true mean, 0..1.

    Returns
    -------
    low, high
        Both infinite for fewer than two differences, whose spread is unknown.

    References
    ----------
    Student 1908, The Probable Error of a Mean.

    Examples
    --------
    >>> low, high = mean_interval([0.9, 1.0, 1.1, 1.0, 1.0])
    >>> round(low, 3), round(high, 3)
    (0.912, 1.088)
    """
    from scipy.stats import sem, t  # noqa: PLC0415  takes half a second to load

    values = np.sort(np.asarray(differences, np.float64))  # sorted, so that the result is the same for any order
    if len(values) < 2:  # noqa: PLR2004  one value has no spread
        return -np.inf, np.inf
    middle, reach = float(values.mean()), float(t.ppf((1 + level) / 2, len(values) - 1) * sem(values))
    return middle - reach, middle + reach
