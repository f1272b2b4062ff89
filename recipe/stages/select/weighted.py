"""Weighted random sampling: the probability of a sample grows with its score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from recipe.data.picks import Picks
from recipe.engine.seed import draws
from recipe.errors import ConfigError
from recipe.stages.select._image_limits import fill_up, take
from recipe.stages.select._worth import worth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.config.ranges import Integer, Name, Number, Positive
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas

BELOW_ONE = float(np.nextafter(1.0, 0.0))  # the largest number that has a logarithm below 0


def select(
    pool: Pool,
    quotas: Quotas,
    *,
    by: Name | Mapping[str, Number] = "n_words",
    chance: Literal["softmax", "proportional"] = "softmax",
    tau: Positive = 1.0,
    seed: Integer = 0,
) -> Picks:
    """Draw samples of each cell without replacement, each in proportion to the weights of those left; O(n log n).

    Samples are ordered by ``log(weight) + g`` with g a Gumbel number drawn by the sample's key: the largest values are
    a draw without replacement (Gumbel top-k; the same distribution as with the keys of Efraimidis and Spirakis). A
    sample's number does not depend on other samples, only its rank does.

    Parameters
    ----------
    pool
        n samples with the columns that `by` names.
    quotas
        How many of each cell.
    by
        A score (or any column of numbers) as it is; or scores to weights, each counting by its rank, 0..1.
    chance
        ``"softmax"``: weights are ``exp(score / tau)``; ``"proportional"``: weights are the scores, from 0; samples
        with a score of 0 are drawn last.
    tau
        Temperature of the softmax, above 0.
    seed
        Any integer.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `score` is the score.

    Raises
    ------
    ConfigError
        If a knob is out of its range, a column is missing, or a score is negative where weights are the scores.

    References
    ----------
    Efraimidis and Spirakis 2006, Weighted random sampling with a reservoir; Vieira 2014, Gumbel-max trick and weighted
    reservoir sampling. Inside clusters this is the step of kMQ (Yu et al. 2024, Diversify and Conquer).

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> len(select_mix(demo_pool(images=4), size=20, select={"weighted": {"by": "length"}}))
    20
    """
    if chance not in ("softmax", "proportional") or not tau > 0:
        got = f"chance={chance!r}, tau={tau}"
        raise ConfigError(f"select.weighted: expected chance softmax or proportional, and tau above 0, got {got}")
    rows = np.flatnonzero(quotas.cell >= 0)
    worth = worth_of(pool, rows, by, "select.weighted: by")
    if chance == "proportional" and (worth < 0).any():
        raise ConfigError(f"select.weighted: expected scores from 0 on as weights, got {float(worth.min())} by {by}")
    numbers = draws(pool.rows["key"], seed=seed, label="select.weighted")[rows]
    uniform = np.minimum((numbers.astype(np.float64) + 0.5) / 2.0**64, BELOW_ONE)
    with np.errstate(divide="ignore"):  # a weight of 0 comes last
        place = (worth / tau if chance == "softmax" else np.log(worth)) - np.log(-np.log(uniform))
    order = rows[np.lexsort((numbers, -place))]
    picks = fill_up(Picks(take(order, quotas)), quotas)
    score = np.zeros(len(pool))
    score[rows] = worth
    return Picks(picks.rows, {"score": score[picks.rows]})
