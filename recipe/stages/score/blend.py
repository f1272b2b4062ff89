"""Several scores as one, by rank."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.ranks import rank_shares
from recipe.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.ranges import Number
    from recipe.data.pool import Pool


def score(pool: Pool, *, weights: Mapping[str, Number]) -> NDArray[np.float32]:
    """Score the weighted mean of a sample's ranks in other scores; O(n log n) for each.

    Ranks have no unit and no outliers, so scores of any range can be combined; the weights say how much each counts.

    Parameters
    ----------
    pool
        n samples with the named scores: those listed before the blend in the recipe.
    weights
        Score to weight; any finite number except 0. If it is below 0, the smallest value is the best.

    Returns
    -------
    ndarray
        (n,) float32 in 0..1: the mean of the ranks among the eligible samples, divided by their number; equal values
        get their mean rank. 0 for a sample that may not be selected.

    Raises
    ------
    ConfigError
        If a name is not a numeric column of the pool, or a weight is 0 or not finite.

    References
    ----------
    The rank-sum method of Borda 1781, with weights; equal values as in Spearman's ranks.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> mixed = score(scored, weights={"novelty": 1, "length": 2})
    >>> bool((mixed <= 1).all())
    True
    """
    numbers = [name for name, kind in pool.rows.schema.items() if kind.is_numeric()]
    for name, weight in weights.items():
        if name not in numbers:
            what = f"weights name '{name}', which is not a score before it"
            raise ConfigError(f"score.blend: {what}, {nearest(name, numbers)}")
        if not isinstance(weight, int | float) or not math.isfinite(weight) or weight == 0:
            raise ConfigError(f"score.blend: expected weights that are numbers and not 0, got {name}={weight!r}")
    if not weights:
        raise ConfigError("score.blend: expected a weight for at least one score, got weights={}")
    rows = np.flatnonzero(pool.eligible)
    total = np.zeros(len(rows))
    for name in sorted(weights):  # so that the sum has a fixed order
        values = pool.rows[name].gather(rows)
        total += abs(weights[name]) * rank_shares(values if weights[name] > 0 else -values.cast(float))
    scores = np.zeros(len(pool), np.float32)
    scores[rows] = np.clip(total / sum(abs(weights[name]) for name in sorted(weights)), 0, 1)
    return scores
