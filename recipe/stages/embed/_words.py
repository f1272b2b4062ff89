"""Words of texts as hashed columns, and weighted sums of the rows of a table over the words of each text.

Words are those of `recipe.data.words` that begin with a letter and have two characters or more, or are a character of a
script without spaces. So the numbers of boxes, which would outweigh the text about them, and single letters do not
count. The column of a word is its hash modulo the number of columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.words import Words, words_of
from recipe.stages.embed import _kernels as kernels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

BLOCK = 2**13  # texts whose words are in memory at once


def count_texts(texts: pl.Series, features: int) -> NDArray[np.int64]:
    """Return in how many of m texts each column occurs, (features,); O(words)."""
    found = np.zeros(features, np.int64)
    for _, words in _blocks(texts):
        kernels.count_texts(words.hashes, words.starts, found)
    return found


def columns_of(words: pl.Series, features: int) -> NDArray[np.int64]:
    """Return the column of each of m strings that is a single word, (m,); -1 for any other."""
    found = words_of(words, numbers=False)
    columns = np.full(len(words), -1)
    alone = np.flatnonzero(found.counts == 1)
    columns[alone] = found.hashes[found.starts[alone]] % np.uint64(features)
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
        counts, so that long texts weigh no more than short ones. By default sums are not divided.

    Returns
    -------
    ndarray
        (m, d) float32. A word that occurs c times counts 1 + ln c. Rows are added in the order of the columns, so a sum
        depends on its text alone, to the last bit.
    """
    sums = np.zeros((len(texts), table.shape[1]), np.float32)
    none = np.zeros(0, np.float32)
    for rows, words in _blocks(texts):
        kernels.add_up(words.hashes, words.starts, none if lengths is None else lengths, table, sums[rows])
    return sums


def bags(texts: pl.Series, lengths: NDArray[np.float32]) -> csr_array:
    """Return each text as a sparse row of weighted counts of length one, as `add_up` weighs them, (m, features)."""
    from scipy.sparse import csr_array  # noqa: PLC0415  takes 0.2 s to load

    words = words_of(texts, numbers=False)
    begins, columns, times = kernels.count_words(words.hashes, words.starts, len(lengths))
    weights = (1 + np.log(times)) * lengths[columns]
    squares = np.concatenate([[0], np.cumsum(weights**2)])
    norms = np.sqrt(squares[begins[1:]] - squares[begins[:-1]])
    weights /= np.repeat(norms, np.diff(begins))
    return csr_array((weights, columns, begins), shape=(len(texts), len(lengths)))


def frequent_words(texts: pl.Series, most: int) -> pl.Series:
    """Return the words that occur in the most texts, lower case, most frequent first, ties in alphabetical order."""
    words = words_of(texts, numbers=False, letters=True)
    hashes, first = np.unique(words.hashes, return_index=True)
    pairs = pl.DataFrame({"text": np.repeat(np.arange(len(texts)), words.counts), "hash": words.hashes}).unique()
    counts = pairs.group_by("hash").len()
    spelled = pl.DataFrame(
        {"hash": hashes, "word": words.spelled(first)}, schema={"hash": pl.UInt64, "word": pl.String}
    )
    return spelled.join(counts, on="hash").sort(["len", "word"], descending=[True, False])["word"].head(most)


def _blocks(texts: pl.Series) -> Iterator[tuple[slice, Words]]:
    """Yield the words of the texts block by block, each with the range of its texts."""
    for first in range(0, len(texts), BLOCK):
        yield slice(first, first + BLOCK), words_of(texts.slice(first, BLOCK), numbers=False)
