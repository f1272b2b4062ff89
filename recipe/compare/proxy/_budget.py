"""The samples of a mix that a learner reads: sampled at random, as many tokens of every mix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.engine.seed import shuffled
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.compare.proxy._prepared import Prepared


def within_budget(
    ready: Prepared, places: NDArray[np.int64], *, tokens: int, seed: int
) -> tuple[NDArray[np.int64], int]:
    """Sample at random by key until so many tokens are read; the last sample is cut. O(k log k).

    Another seed draws other samples of a mix that has more tokens than the budget. A sample that is cut keeps the same
    share of its bytes as of its tokens.

    Parameters
    ----------
    ready
        The pool.
    places
        (k,) positions of the mix's samples among the prepared rows, ascending.
    tokens
        The budget, in units of `n_tokens`, from 1. A mix that has fewer is read to its end.
    seed
        Any integer.

    Returns
    -------
    pairs
        (p,) int64 pairs, in the order in which they are read.
    limit
        Position in the text at which the last pair is cut; beyond its end if nothing is cut.

    Raises
    ------
    ConfigError
        If `tokens` is below 1.
    """
    if tokens < 1:
        raise ConfigError(f"proxy: expected a budget from 1, got tokens={tokens}")
    order = shuffled(places, ready.keys, seed=seed, label="proxy.budget")
    passed = np.cumsum(ready.tokens[order])
    whole = int(np.searchsorted(passed, tokens, side="right"))
    pairs = ready.pairs(order[:whole])
    left = tokens - (int(passed[whole - 1]) if whole else 0)
    if whole == len(order) or left == 0:
        return pairs, len(ready.text) + 1
    last = order[whole]
    begin, end = ready.ends[2 * ready.firsts[last]], ready.ends[2 * ready.firsts[last + 1]]
    limit = int(begin + (end - begin) * left // ready.tokens[last])
    begun = ready.pairs(order[whole : whole + 1])
    return np.concatenate([pairs, begun[ready.ends[2 * begun + 1] < limit]]), limit
