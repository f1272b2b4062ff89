"""The bits per byte of held-out answers under a small language model that is trained on the mix."""

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

BLOCKS = 8  # of answers, shared among threads
LEAST, MOST = 0.1, 0.95  # bounds of a discount: of a nearly empty table it is no estimate


def proxy(
    ready: Prepared,
    picked: NDArray[np.int64],
    held_out: NDArray[np.int64],
    *,
    tokens: int = 1_000_000,
    seed: int = 0,
) -> dict[str, float]:
    """Count the n-grams of the mix's answers, and return the cost of held-out answers, given their questions.

    An interpolated Kneser-Ney model of bytes: contexts of 0 to 6 bytes of the answer, then these 6 with the last line
    of the question (often the prompt that asks for a format), its first two words, and all of it. All pairs of a sample
    count, each by itself. The same number of tokens is read of every mix, so that long answers are no advantage.
    O(bytes read + bytes evaluated), at most twenty look-ups in a hash table each. The table takes some 160 bytes for
    each byte read, half as much again while it grows. Only the evaluation is shared among threads.

    Parameters
    ----------
    ready
        The pool, labelled.
    picked
        (k,) rows of the mix, from 1; their order is irrelevant.
    held_out
        (m,) rows to evaluate on, from 1.
    tokens
        How much of the mix is read, in units of `n_tokens` (questions and answers), from 1. Use a budget that every mix
        has: one that has fewer is read to its end, and has learned less.
    seed
        Any integer: samples what is read where the mix has more than `tokens`.

    Returns
    -------
    dict
        ``bits``: bits a byte, lower is better: mean over the tasks of all bits over all bytes of the held-out answers,
        the end of an answer counted as one more byte. 8 if nothing was learned.

    Raises
    ------
    ConfigError
        If there are no rows to learn from or to evaluate on, or `tokens` is below 1.

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
    learned, judged = ready.places(picked), ready.places(held_out)
    pairs, limit = within_budget(ready, learned, tokens=tokens, seed=seed)
    texts = (ready.text, ready.ends, ready.hints)
    table, rare = kernels.count_answers(*texts, pairs, limit)
    discounts = discounts_of(rare)

    def bits_of(block: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the bits of the answers of some pairs."""
        bits: NDArray[np.float64] = kernels.bits_of(*texts, block, table, discounts)
        return bits

    held_out_pairs = ready.pairs(judged)
    bits = np.concatenate(each(bits_of, np.array_split(held_out_pairs, BLOCKS), label="language"))
    sizes = ready.ends[2 * held_out_pairs + 2] - ready.ends[2 * held_out_pairs + 1] + 1
    return {"bits": mean_over_tasks(bits, sizes, ready.tasks[held_out_pairs])}


def discounts_of(rare: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the discount of each level, from how many n-grams of each length occur once and twice, (levels, 2)."""
    once, twice = rare.T.astype(np.float64)
    return np.asarray(np.clip(once / np.maximum(once + 2 * twice, 1), LEAST, MOST))
