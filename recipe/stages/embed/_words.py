"""Words of texts as hashed columns, and the sum of what a table says of them.

A word is a run of letters, digits, underscores and accents that begins with a letter and has two characters or more, in
lower case, or one character of a script without spaces. So the numbers of boxes, which would drown what is said about
them, and single letters are none. Its column is FNV-1a over its characters, 64 bits, mixed as MurmurHash3 does in the
end, modulo the number of columns: no library's hash, whose next version could move every sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.alphabet import alphabet, packed
from recipe.stages.embed import _kernels as kernels

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

WORD = r"\pL[\pL\pM\pN_]+"  # near enough to find words to ask a teacher about


def count_texts(texts: pl.Series, features: int) -> NDArray[np.int64]:
    """Return in how many of m texts each column stands, (features,); O(words)."""
    found: NDArray[np.int64] = kernels.count_texts(*packed(texts), alphabet(), features)
    return found


def columns_of(words: pl.Series, features: int) -> NDArray[np.int64]:
    """Return the column of each of m strings, (m,), that each are one word; -1 where one is none or several."""
    columns: NDArray[np.int64] = kernels.only_columns(*packed(words), alphabet(), features)
    return columns


def add_up(
    texts: pl.Series, table: NDArray[np.float32], lengths: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return for each text the weighted sum of the table's rows that belong to its words; O(words + n d w).

    Parameters
    ----------
    texts
        m texts.
    table
        (features, d) float32.
    lengths
        (features,) float32: weights of the columns. Each sum is divided by the length of the text's vector of weighted
        counts, so that long texts weigh no more than short ones. Nothing is divided by default.

    Returns
    -------
    ndarray
        (m, d) float32. A word that stands c times counts 1 + ln c. Rows are added in the order of the columns, so the
        bits of a sum depend on its text alone.
    """
    sums = np.zeros((len(texts), table.shape[1]), np.float32)
    none = np.zeros(0, np.float32)
    kernels.add_up(*packed(texts), alphabet(), none if lengths is None else lengths, table, sums)
    return sums


def bags(texts: pl.Series, lengths: NDArray[np.float32]) -> csr_array:
    """Return each text as a sparse row of weighted counts of length one, as `add_up` weighs them, (m, features)."""
    from scipy.sparse import csr_array  # noqa: PLC0415  takes 0.2 s to load

    begins, columns, times = kernels.count_words(*packed(texts), alphabet(), len(lengths))
    weights = (1 + np.log(times)) * lengths[columns]
    squares = np.concatenate([[0], np.cumsum(weights**2)])
    norms = np.sqrt(squares[begins[1:]] - squares[begins[:-1]])
    weights /= np.repeat(norms, np.diff(begins))
    return csr_array((weights, columns, begins), shape=(len(texts), len(lengths)))


def frequent_words(texts: pl.Series, most: int) -> pl.Series:
    """Return the words that stand in the most texts, lower case, the most frequent first, ties by the alphabet."""
    words = texts.str.to_lowercase().str.extract_all(WORD).list.unique().explode().drop_nulls().rename("word")
    counts = words.to_frame().group_by("word").len()
    return counts.sort(["len", "word"], descending=[True, False])["word"].head(most)
