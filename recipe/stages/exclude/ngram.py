"""N-grams (runs of n words) that a sample shares with a benchmark's question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.words import Words, words_of
from recipe.stages.exclude import _kernels as kernels

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Runs:
    """An index of all runs of n words of some questions.

    Parameters
    ----------
    n
        Words of a run, from 1.
    words
        The words of the questions.
    run, where, owner
        (slots,) an open hash table: hash, position of the first word, and first question of each distinct run; `where`
        is -1 in a free slot.
    """

    n: int
    words: Words
    run: NDArray[np.uint64]
    where: NDArray[np.int64]
    owner: NDArray[np.int64]

    @classmethod
    def of(cls, texts: pl.Series, n: int) -> Runs:
        """Index the runs of m questions; O(words).

        Examples
        --------
        >>> import polars as pl
        >>> runs = Runs.of(pl.Series(["What is on the old oak table?"]), 4)
        >>> runs.find(words_of(pl.Series(["ON THE OLD, OAK bench", "on the oak table"]), letters=True)).tolist()
        [0, -1]
        """
        return cls.of_words(words_of(texts, letters=True), n)

    @classmethod
    def of_words(cls, words: Words, n: int) -> Runs:
        """Index the runs of questions that are already split into words, with their letters."""
        runs = int(np.maximum(words.counts - n + 1, 0).sum())
        slots = 1 << (2 * runs + 1).bit_length()  # at most half full, so that probing is short
        run, where, owner = np.zeros(slots, np.uint64), np.full(slots, -1), np.full(slots, -1)
        kernels.table_of_runs(*words, n, slots, run, where, owner)
        return cls(n, words, run, where, owner)

    def find(self, words: Words) -> NDArray[np.int64]:
        """Return for each text the first question that it shares a run with, (m,) int64; -1 for none.

        `words` are those of m texts, with their letters. A run is found by a rolling 64-bit hash and then compared word
        by word, so there are no false matches. O(words + matching runs).

        References
        ----------
        Karp and Rabin 1987, Efficient Randomized Pattern-Matching Algorithms, for the hash. Brown et al. 2020 (GPT-3),
        appendix C, for runs of 13 words in lower case without punctuation. GPT-3 removed 200 characters around a hit
        from a long document and ignored runs that many documents share; here the whole sample is refused, since it is
        short and its turns depend on each other, and instructions on how to answer are removed instead.
        """
        found = np.full(len(words.starts) - 1, -1)
        known = self.words
        kernels.find_runs(*words, known.letters, known.begins, self.n, self.run, self.where, self.owner, found)
        return found
