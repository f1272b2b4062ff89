"""The words of texts, split from their bytes: the definition of a word for all stages that hash or compare them.

A word is a run of letters, digits, underscores and accents, in lower case, or one character of a script without spaces
(`recipe.data.alphabet`). Its hash is FNV-1a over its characters, 64 bits, mixed as MurmurHash3 does in the end: no
library's hash, whose next version could change every sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.data import _kernels as kernels
from recipe.data.alphabet import alphabet

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Words(NamedTuple):
    """The w words of m texts, one after the other."""

    hashes: NDArray[np.uint64]
    """(w,) hash of each word."""
    starts: NDArray[np.int64]
    """(m + 1,) the first word of each text, and w."""
    letters: NDArray[np.uint32]
    """(c,) characters of all words in lower case; none if they were not requested."""
    begins: NDArray[np.int64]
    """(w + 1,) the first character of each word, and c."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """(m,) words of each text."""
        return np.diff(self.starts)

    def spelled(self, which: NDArray[np.int64]) -> list[str]:
        """Return some words as strings, in lower case; O(c)."""
        whole = self.letters.astype("<u4").tobytes().decode("utf-32-le")
        begins, ends = self.begins[which].tolist(), self.begins[which + 1].tolist()
        return [whole[begin:end] for begin, end in zip(begins, ends, strict=True)]


def words_of(texts: pl.Series, *, numbers: bool = True, letters: bool = False) -> Words:
    """Return the words of m texts; null is empty; O(bytes).

    Parameters
    ----------
    texts
        m texts.
    numbers
        Whether runs that begin with a digit, an underscore or an accent, and runs of one character, are also words:
        "option B" and "in 1889" distinguish questions. Without them the numbers of boxes do not outweigh the text.
    letters
        Whether the characters of the words are also kept.

    Returns
    -------
    Words
        Their hashes, and where each text starts.

    Examples
    --------
    >>> import polars as pl
    >>> words = words_of(pl.Series(["Is it 10 o'clock?", "No."]), letters=True)
    >>> words.spelled(np.arange(len(words.hashes))), words.counts.tolist()
    (['is', 'it', '10', 'o', 'clock', 'no'], [5, 1])
    >>> words_of(pl.Series(["Is it 10 o'clock?", "No."]), numbers=False).counts.tolist()
    [3, 1]
    """
    text, ends = _packed(texts)
    most = len(text) // 2 + len(texts) + 1  # words are separated by a byte, or are characters of three
    hashes, begins = np.empty(most, np.uint64), np.empty(most + 1, np.int64)
    room, starts = np.empty(len(text) if letters else 0, np.uint32), np.empty(len(ends), np.int64)
    count, kept = kernels.split_words(text, ends, alphabet(), numbers, hashes, room, begins, starts)
    return Words(hashes[:count], starts, room[:kept], begins[: count + 1])


def _packed(texts: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the UTF-8 bytes of m texts on end, and the (m + 1,) places at which they begin and end; null is empty."""
    whole = pl.select(texts.str.join("").cast(pl.Binary)).item()
    lengths = texts.str.len_bytes().fill_null(0).to_numpy()
    return np.frombuffer(whole or b"", np.uint8), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
