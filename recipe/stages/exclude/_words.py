"""Words of texts for comparing them: lower case, no punctuation, straight from their bytes.

A word is a run of letters, digits, underscores and accents, in lower case, or one character of a script without spaces.
Unlike the embedder's words, numbers and single letters are words here: "option B" and "in 1889" tell questions apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.data.alphabet import alphabet, packed
from recipe.stages.exclude import _kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Words(NamedTuple):
    """The words of m texts, one after the other."""

    text: NDArray[np.uint8]
    """UTF-8 of all texts on end."""
    hashes: NDArray[np.uint64]
    """(w,) hash of each word in lower case."""
    begins: NDArray[np.uint32]
    """(w,) its first byte."""
    stops: NDArray[np.uint32]
    """(w,) the byte after its last."""
    starts: NDArray[np.int64]
    """(m + 1,) the first word of each text, and w."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """(m,) words of each text."""
        return np.diff(self.starts)


def words_of(texts: pl.Series) -> Words:
    """Return the words of m texts, up to 4 GB of them; null is empty; O(bytes)."""
    text, ends = packed(texts)
    most = len(text) // 2 + len(texts) + 1  # words are parted by a byte, or are characters of three
    hashes, begins, stops = np.empty(most, np.uint64), np.empty(most, np.uint32), np.empty(most, np.uint32)
    starts = np.empty(len(ends), np.int64)
    count = kernels.split_words(text, ends, alphabet(), hashes, begins, stops, starts)
    return Words(text, hashes[:count], begins[:count], stops[:count], starts)


def spoken(turns: pl.Series, prompts: str, speaker: str | None = None) -> pl.DataFrame:
    """List the turns of samples: `row`, from 0, and `value`, without `<image>` and without what `prompts` finds.

    Parameters
    ----------
    turns
        (n,) lists of turns, as a pool has them.
    prompts
        A regular expression of what says how to answer, not what is asked; the empty one finds nothing.
    speaker
        Whose turns; by default all.
    """
    table = pl.DataFrame({"turns": turns}).with_row_index("row").explode("turns", empty_as_null=False, keep_nulls=False)
    table = table.unnest("turns").with_columns(pl.col("row").cast(pl.Int64))
    if speaker is not None:
        table = table.filter(pl.col("from") == speaker)
    return table.select("row", value=bare("value", prompts))


def bare(column: str, prompts: str) -> pl.Expr:
    """Take `<image>` and what says how to answer out of texts."""
    said = pl.col(column).str.replace_all("<image>", " ", literal=True)
    return said.str.replace_all(prompts, "\n") if prompts else said
