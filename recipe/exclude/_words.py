"""Words of texts for comparing them: lower case, no punctuation, straight from their bytes.

A word is a run of letters, digits, underscores and accents, in lower case, or one character of a script without spaces.
Unlike the embedder's words, numbers and single letters are words here: "option B" and "in 1889" tell questions apart.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.exclude import _kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Scripts without spaces, whose characters are words: Chinese, Japanese, Bopomofo, Yi.
IDEOGRAPHS = (
    (0x2E80, 0x312F),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0xA4CF),
    (0xF900, 0xFAFF),
)


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


@cache
def alphabet() -> NDArray[np.uint32]:
    """Return of each character of the basic plane its kind (upper 16 bits) and its lower case (lower 16).

    Categories are those of Unicode 3.2, which every Python carries, so no later version moves a word; a character that
    it does not know is taken for a letter.
    """
    table = np.zeros(kernels.PLANE, np.uint32)
    for code in range(kernels.PLANE):
        category = unicodedata.ucd_3_2_0.category(chr(code))
        lower = chr(code).lower()
        inside = category[0] in "LNM" or category == "Cn" or code == ord("_")
        alone = category[0] == "L" and any(first <= code <= last for first, last in IDEOGRAPHS)
        kind = kernels.ALONE if alone else kernels.INSIDE if inside else np.uint32(0)
        table[code] = kind << np.uint32(16) | np.uint32(ord(lower) if len(lower) == 1 else code)
    return table


def words_of(texts: pl.Series) -> Words:
    """Return the words of m texts, up to 4 GB of them; null is empty; O(bytes)."""
    whole = pl.select(texts.str.join("").cast(pl.Binary)).item()
    text = np.frombuffer(whole or b"", np.uint8)
    ends = np.concatenate([[0], np.cumsum(texts.str.len_bytes().fill_null(0).to_numpy(), dtype=np.int64)])
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
