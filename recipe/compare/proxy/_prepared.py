"""What the learners use of a pool, the same for every mix: classes, question vectors and bytes, each made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.compare.proxy import _kernels as kernels
from recipe.data.pool import SCHEMA, Pool
from recipe.errors import AlignmentError, ConfigError
from recipe.io.arrow import take

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

NONE = ""  # the class of a sample without a label
WORD = r"(?u)\b\w+\b"  # also a single letter or digit, which a question may be about


@dataclass(frozen=True)
class Prepared:
    """A pool prepared for the learners. Make it once, and pass it to every call of every learner.

    Everything is computed on first use, and once. The text of the given rows is kept in memory; rows that will be
    neither picked nor held out need not be given.

    Parameters
    ----------
    pool
        n samples, labelled (`task`, `answer`) and embedded.
    rows
        (r,) rows that may be picked or held out, ascending and unique; those that may be selected by default.
    """

    pool: Pool
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, pool: Pool, rows: NDArray[np.int64] | None = None) -> Prepared:
        """Return a prepared pool, for some rows or for all that may be selected; O(1) until a learner uses it."""
        return cls(pool, np.flatnonzero(pool.eligible) if rows is None else np.unique(rows))

    def places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of rows among the prepared ones, ascending and without repeats; O(k log r).

        Raises
        ------
        ConfigError
            If there are no rows.
        AlignmentError
            If a row was not prepared.
        """
        wanted = np.unique(rows)
        if not len(wanted):
            raise ConfigError("proxy: expected rows to learn from and rows to evaluate on, got none")
        places = np.searchsorted(self.rows, wanted)
        known = places < len(self.rows)
        known[known] = self.rows[places[known]] == wanted[known]
        if not known.all():
            raise AlignmentError(
                f"proxy: expected rows that were prepared, got {int((~known).sum())} others, as {wanted[~known][0]}; "
                "give them to Prepared.of, which takes rows that may be selected"
            )
        return places

    @cached_property
    def classes(self) -> dict[str, NDArray[np.int64]]:
        """``task`` and ``answer`` to (r,) int64: the number of each row's label, labels in alphabetical order."""
        table = take(self.pool.rows, ["task", "answer"], self.rows)
        labels = {name: table[name].cast(pl.String).fill_null(NONE).to_numpy().astype(str) for name in table.columns}
        return {name: np.unique(values, return_inverse=True)[1].astype(np.int64) for name, values in labels.items()}

    @cached_property
    def qas(self) -> pl.DataFrame:
        """One line a question-answer pair, as `Pool.qas`, but with positions of prepared rows and "" for null."""
        table = take(self.pool.rows, [name for name in SCHEMA if name != "row"], self.rows)
        return Pool(table.with_row_index("row")).qas.with_columns(pl.col("question", "answer").fill_null(""))

    @cached_property
    def keys(self) -> pl.Series:
        """(r,) str: the key of each row."""
        return take(self.pool.rows, ["key"], self.rows)["key"]

    @cached_property
    def tokens(self) -> NDArray[np.int64]:
        """(r,) int64: estimated tokens of each row, at least one."""
        return np.asarray(take(self.pool.rows, ["n_tokens"], self.rows)["n_tokens"].to_numpy().clip(1), np.int64)

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """(r + 1,) int64: the first pair of each row, and the number of pairs."""
        return np.asarray(np.searchsorted(self.qas["row"].to_numpy(), np.arange(len(self.rows) + 1)), np.int64)

    @cached_property
    def tasks(self) -> NDArray[np.int64]:
        """(pairs,) int64: the task of each pair, as in `classes`."""
        return np.asarray(self.classes["task"][self.qas["row"].to_numpy()])

    def pairs(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the pairs of some rows, in the order of the rows; O(pairs)."""
        counts = self.firsts[places + 1] - self.firsts[places]
        before = np.cumsum(counts) - counts
        return np.asarray(np.arange(counts.sum()) + np.repeat(self.firsts[places] - before, counts))

    @cached_property
    def _talk(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """All questions and answers joined, a question before its answer, and where each begins."""
        texts = self.qas.select(pl.concat_list("question", "answer").alias("text")).explode("text")["text"]
        lengths = texts.str.len_bytes().to_numpy().astype(np.int64)
        return np.frombuffer("".join(texts).encode(), np.uint8), np.concatenate([[0], np.cumsum(lengths)])

    @property
    def text(self) -> NDArray[np.uint8]:
        """(bytes,) uint8: all questions and answers in UTF-8, one after the other, a question before its answer."""
        return self._talk[0]

    @property
    def ends(self) -> NDArray[np.int64]:
        """(2 pairs + 1,) int64: pair p asks in ``text[ends[2p]:ends[2p+1]]`` and answers up to ``ends[2p+2]``."""
        return self._talk[1]

    @cached_property
    def hints(self) -> NDArray[np.uint64]:
        """(pairs, 3) uint64: hashes of the question's last line (of several), of its first two words, and of it all."""
        hints: NDArray[np.uint64] = kernels.hints_of(self.text, self.ends)
        return hints

    @cached_property
    def questions(self) -> tuple[NDArray[np.int64], csr_matrix]:
        """(pairs,) the number of each pair's question, and (q, words) float32 the vector of each different question.

        Vectors are scikit-learn's TF-IDF with 1 + ln of counts, of length one; document frequencies are counted over
        the different questions of the rows.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  takes 0.5 s to load

        questions = self.qas["question"]
        numbers = questions.rank("dense").to_numpy().astype(np.int64) - 1
        different = questions.unique().sort()
        words = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, token_pattern=WORD)
        vectors = words.fit_transform(different)
        vectors.sort_indices()  # so that sums over words have one order
        return numbers, vectors
