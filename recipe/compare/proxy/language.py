"""How many bits an unseen answer takes, once a small model of text has read the mix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.compare.proxy import _kernels as kernels
from recipe.compare.proxy._budget import within_budget
from recipe.compare.proxy._figures import mean_over_tasks
from recipe.engine import each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.compare.proxy._prepared import Prepared

BLOCKS = 8  # of answers that threads take in turn
LEAST, MOST = 0.1, 0.95  # a discount of a table with next to nothing in it is no estimate


def proxy(
    ready: Prepared,
    picked: NDArray[np.int64],
    held: NDArray[np.int64],
    *,
    tokens: int = 1_000_000,
    seed: int = 0,
) -> dict[str, float]:
    """Count the n-grams of the mix's answers, and tell what held answers cost under them, given their questions.

    An interpolated Kneser-Ney model of bytes: contexts of 0 to 6 bytes of the answer, then these 6 with the last line
    of the question (often the prompt that asks for a format), its first two words, and all of it. All pairs of a sample
    count, each by itself. Whatever the mix, the same number of tokens is read, so that long answers are no advantage.
    O(bytes read + bytes judged), at most twenty look-ups in a hash table each. The table takes some 160 bytes for each
    byte read, half as much again while it grows. Only judging is shared among threads.

    Parameters
    ----------
    ready
        The pool, labelled.
    picked
        (k,) rows of the mix, from 1; their order is irrelevant.
    held
        (m,) rows to judge on, from 1.
    tokens
        How much of the mix is read, in units of `n_tokens` (questions and answers), from 1. Give all mixes a budget
        that each of them has: one that has fewer is read to its end, and has learned less.
    seed
        Draws which samples are read where the mix has more than `tokens`.

    Returns
    -------
    dict
        ``bits``: bits a byte, lower is better: mean over the tasks of all bits over all bytes of the held answers, the
        end of an answer counted as one more byte. 8 if nothing was learned.

    Raises
    ------
    ConfigError
        If there are no rows to learn from or to judge on, or `tokens` is below 1.

    References
    ----------
    Kneser and Ney 1995, Improved Backing-Off for M-gram Language Modeling; interpolated as in Chen and Goodman 1999, An
    Empirical Study of Smoothing Techniques for Language Modeling, section 2.7, with one discount for each length of
    context, n1 / (n1 + 2 n2), also for the shortest, which falls back to all 256 bytes alike.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> from recipe.compare.proxy import Prepared
    >>> ready = Prepared.of(score_pool(demo_pool(images=20), score=[]))
    >>> bits = [proxy(ready, ready.rows[::2], ready.rows[1::2], tokens=tokens)["bits"] for tokens in (1000, 100)]
    >>> bits[0] < bits[1] < 8
    True
    """
    learned, judged = ready.places(picked), ready.places(held)
    pairs, limit = within_budget(ready, learned, tokens=tokens, seed=seed)
    talk = (ready.text, ready.ends, ready.hints)
    table, rare = kernels.count_answers(*talk, pairs, limit)
    discounts = discounts_of(rare)

    def bits_of(block: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the bits of the answers of some pairs."""
        bits: NDArray[np.float64] = kernels.bits_of(*talk, block, table, discounts)
        return bits

    asked = ready.pairs(judged)
    bits = np.concatenate(each(bits_of, np.array_split(asked, BLOCKS), label="language"))
    sizes = ready.ends[2 * asked + 2] - ready.ends[2 * asked + 1] + 1
    return {"bits": mean_over_tasks(bits, sizes, ready.tasks[asked])}


def discounts_of(rare: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is taken off each count, from how many n-grams of each length stand once and twice, (levels, 2)."""
    once, twice = rare.T.astype(np.float64)
    return np.asarray(np.clip(once / np.maximum(once + 2 * twice, 1), LEAST, MOST))
