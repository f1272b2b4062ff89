"""How sure a mean of a few paired differences is: a bootstrap interval made wide enough for small numbers."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, stdtrit

from recipe.engine.seed import generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ALL = 6  # differences up to which every resample is looked at: 6**6 = 46,656
DRAWN = 20_000  # resamples of more


def bootstrap(differences: Sequence[float] | NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float]:
    """Return an interval of the mean of some differences by the expanded percentile bootstrap.

    The plain percentile interval is too short for a few numbers: of five it holds the mean some 83 times in 100, not
    95. Its tails are therefore taken at the level at which the normal quantile equals ``sqrt(n / (n - 1))`` times
    Student's. Of up to six differences every resample is looked at, so nothing is drawn by lot. Of fewer than five even
    the farthest resamples are nearer than that (all of three have one sign by chance every fourth time), and the
    interval is Student's own. O(n**n) or O(n).

    Parameters
    ----------
    differences
        (n,) float64, from two on, of which each was made on its own.
    level
        How often such an interval should hold the true mean, 0..1.

    Returns
    -------
    low, high
        Both infinite for fewer than two differences, which say nothing of their spread.

    References
    ----------
    Efron 1979, Bootstrap Methods; Hesterberg 2015, What Teachers Should Know About the Bootstrap, section 3.3, for the
    expanded tails.

    Examples
    --------
    >>> low, high = bootstrap([0.9, 1.0, 1.1, 1.0, 1.0])
    >>> 0.9 <= low < 1 < high <= 1.1
    True
    """
    values = np.asarray(differences, np.float64)
    n = len(values)
    if n < 2:  # noqa: PLR2004  no spread of one
        return -np.inf, np.inf
    reach = float(stdtrit(n - 1, (1 + level) / 2))
    tail = float(ndtr(-np.sqrt(n / (n - 1)) * reach))
    if tail * min(n**n, DRAWN) < 1:
        middle, half = float(np.sort(values).mean()), reach * float(np.sort(values).std(ddof=1)) / n**0.5
        return middle - half, middle + half
    lots = (
        np.array(list(product(range(n), repeat=n)))
        if n <= ALL
        else generator(0, "intervals").integers(n, size=(DRAWN, n))
    )
    means = np.sort(np.sort(values)[np.sort(lots, axis=1)].mean(axis=1))  # sorted: the same for any order
    at = int(tail * len(means))
    return float(means[at]), float(means[-1 - at])
