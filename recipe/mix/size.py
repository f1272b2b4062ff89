"""The number of samples for a size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from recipe.config.size import read_size
from recipe.errors import TAKE, SupplyError
from recipe.mix.rejects import nothing_eligible

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipe.data.pool import Pool
    from recipe.mix.mix import Mix

TRIES = 5
NEAR = 0.995  # share of a token budget that is close enough


def count_samples(size: float | str, pool: Pool) -> int:
    """Return the number of samples for a size; for a token budget a first estimate by the mean length.

    Parameters
    ----------
    size
        As `Recipe.size`.
    pool
        n samples, problems found.

    Returns
    -------
    int
        From 1.

    Raises
    ------
    NothingEligible
        If no sample of the pool may be selected.
    """
    supply = int(pool.eligible.sum())
    if supply == 0:
        raise nothing_eligible(pool)
    number, unit = read_size(size)
    if unit == "share":
        number *= supply
    elif unit == "tokens":
        number = min(supply, number * supply / max(1, _tokens(pool)))
    return max(1, round(number))


def _tokens(pool: Pool) -> int:
    """Return the tokens of all samples that may be selected."""
    return int(pool.rows["n_tokens"].to_numpy()[pool.eligible].sum(dtype=np.int64))


def fit_size(size: float | str, pool: Pool, pick: Callable[[int], Mix], shortfall: str = "refuse") -> Mix:
    """Pick a mix of a size: exactly as many samples, or the largest mix within a token budget.

    A selector may prefer long samples, so under a token budget the number of samples is corrected by the tokens of the
    last attempt, until 99.5 % of the budget are used; then the last picks are dropped until the mix is within it.

    Parameters
    ----------
    size
        As `Recipe.size`.
    pool
        n samples, problems found.
    pick
        Number of samples to a mix of that many, or of fewer if a shortfall is allowed.
    shortfall
        As `Recipe.shortfall`.

    Returns
    -------
    Mix
        A mix of that size.

    Raises
    ------
    SupplyError
        If no sample may be selected, or the budget is too small for any, or is more than the pool has.
    """
    count = count_samples(size, pool)
    budget, unit = read_size(size)
    if unit == "tokens" and shortfall == "refuse" and budget > (there := _tokens(pool)):
        what = f"the pool can give {there:,} tokens in {int(pool.eligible.sum()):,} samples"
        raise SupplyError(f"size={size!r}: {what}; ask for fewer, add sources, or {TAKE}")
    mix = pick(count)
    if unit != "tokens":
        return mix
    tokens = pool.rows["n_tokens"].to_numpy()
    for _ in range(TRIES):
        spent = int(tokens[mix.picks.rows].sum(dtype=np.int64))
        better = min(int(pool.eligible.sum()), max(1, int(len(mix) * budget / max(1, spent))))
        if NEAR * budget <= spent <= budget or better == len(mix):
            break
        before, mix = len(mix), pick(better)
        if len(mix) == before:  # all that the balance allows
            break
    fits = int(np.searchsorted(np.cumsum(tokens[mix.picks.rows], dtype=np.int64), budget, side="right"))
    if fits == 0:
        raise SupplyError(f"size={size!r}: the first pick alone has more tokens; ask for more")
    return replace(mix, picks=mix.picks.head(fits))
