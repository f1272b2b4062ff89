"""Best first: the samples with the highest score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.picks import Picks
from recipe.stages.select._image_limits import fill_up, take
from recipe.stages.select._worth import worth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.config.ranges import Integer, Name, Number
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


def select(
    pool: Pool,
    quotas: Quotas,
    *,
    by: Name | Mapping[str, Number] = "n_words",
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick the samples with the highest score under the quotas; ties go to the smaller key; O(n log n).

    Parameters
    ----------
    pool
        n samples with the columns that `by` names.
    quotas
        How many of each cell.
    by
        A score (or any column of numbers) as it is; or scores to weights, each counting by its rank among the eligible
        samples, 0..1. A weight below 0 prefers low values. The default picks the longest samples.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `score` is the value by which they are ranked.

    Raises
    ------
    ConfigError
        If a column does not exist or has no number for some sample.

    References
    ----------
    The default is the baseline of Zhao, Andriushchenko, Croce and Flammarion 2024, Long Is More for Alignment. Weighted
    ranks: as DataTailor combines its scores (not checked against the paper).

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=4), size=5, balance={"margins": {}, "yes_share": None}, select="ranked")
    >>> words = mix.pool.rows["n_words"].filter(mix.pool.eligible)
    >>> mix.picks.gains["score"].tolist() == words.sort(descending=True).head(5).to_list()
    True
    """
    rows = np.flatnonzero(quotas.cell >= 0)
    worth = np.zeros(len(pool))
    worth[rows] = worth_of(pool, rows, by, "select.ranked: by")
    picks = fill_up(Picks(take(rows[np.argsort(-worth[rows], kind="stable")], quotas)), quotas)
    return Picks(picks.rows, {"score": worth[picks.rows]})
