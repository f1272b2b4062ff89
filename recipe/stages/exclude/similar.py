"""Questions with the same words as a benchmark's question, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.words import Words, words_of
from recipe.stages.exclude import _kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 6  # content words from which a question is about one particular image: "What color is the car?" has two
# Words common in questions about any image; every other word is a content word.
COMMON = """a about above according added all also among an and another any anyone anything appear appears are around as
at be been being below beside between both but by can choose color colour correct could describe did directly do does
doing each either following for from give given has have having here how i if image images in inside into is it its
just kind like look looking made main many may me might more most much near next no not of off on one only options or
other out over part people person photo photograph picture pictures please put question scene see seem seen shape should
show shown side so some someone something than that the their them there these they thing things this those through to
towards true type under up us use used using was way we were what when where whether which who whom whose why will
with within would yes you your"""


@dataclass(frozen=True)
class Bags:
    """An index of questions as bags of weighted words.

    Parameters
    ----------
    least
        Cosine from which two bags count as the same, in 0..1.
    of_question
        (q,) bag of each question, -1 for one without words; questions of the same words share a bag.
    few
        (b,) bool: whether the bag has fewer than `FEWEST` distinct content words.
    vocabulary, idf
        (v,) hashes of the known words, ascending, and their inverse document frequencies.
    unknown
        The inverse document frequency of a word that is in no question.
    bounds, columns, weights
        Words and weights of each bag, normalised to length one.
    lists, listed
        Inverted index: the bags that are listed under each word.
    """

    least: float
    of_question: NDArray[np.int64]
    few: NDArray[np.bool_]
    vocabulary: NDArray[np.uint64]
    idf: NDArray[np.float64]
    unknown: float
    bounds: NDArray[np.int64]
    columns: NDArray[np.int64]
    weights: NDArray[np.float64]
    lists: NDArray[np.int64]
    listed: NDArray[np.int64]

    @classmethod
    def of(cls, texts: pl.Series, least: float) -> Bags:
        """Index questions by the words by which they can be found; O(words log words).

        A word that occurs c times counts 1 + ln c, times its inverse document frequency among the questions, so whether
        a sample matches does not depend on other samples. A bag is listed under its heaviest words only, enough that
        the rest of its vector is shorter than `least`: a text that shares none of them has a smaller cosine.

        Parameters
        ----------
        texts
            q questions.
        least
            Cosine from which two count as the same, in 0..1.

        References
        ----------
        Bayardo et al. 2007, Scaling Up All Pairs Similarity Search, section 4, for what need not be indexed.
        """
        begins, hashes, times = _counted(words_of(texts))
        first: dict[bytes, int] = {}
        spans = [(begins[i], begins[i + 1]) for i in range(len(texts))]
        of_question = np.full(len(texts), -1)
        kept: list[tuple[int, int]] = []
        for i, (start, stop) in enumerate(spans):
            if stop > start:
                name = hashes[start:stop].tobytes() + times[start:stop].tobytes()
                of_question[i] = first.setdefault(name, len(first))
                if len(first) > len(kept):
                    kept.append((start, stop))
        rows = np.concatenate([np.arange(*span) for span in kept]) if kept else np.zeros(0, np.int64)
        bounds = np.concatenate([[0], np.cumsum([stop - start for start, stop in kept], dtype=np.int64)])
        vocabulary, columns = np.unique(hashes[rows], return_inverse=True)
        b = len(kept)
        idf = np.log((1 + b) / (1 + np.bincount(columns, minlength=len(vocabulary)))) + 1
        weights = (1 + np.log(times[rows])) * idf[columns]
        bag = np.repeat(np.arange(b), np.diff(bounds))
        weights /= np.sqrt(np.bincount(bag, weights**2, b))[bag]
        content = ~np.isin(vocabulary, _common())[columns]
        few = np.bincount(bag[content], minlength=b) < FEWEST
        lists, listed = _inverted(bag, columns, weights, least, len(vocabulary))
        unknown = float(np.log(1 + b) + 1)
        return cls(least, of_question, few, vocabulary, idf, unknown, bounds, columns, weights, lists, listed)

    def find(self, words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return all pairs of a text and a bag that count as the same: (p,) texts, ascending, and (p,) bags."""
        texts, bags = kernels.similar_bags(
            *_counted(words),
            self.vocabulary,
            self.idf,
            self.unknown,
            self.lists,
            self.listed,
            self.bounds,
            self.columns,
            self.weights,
            self.least,
        )
        return texts, bags


def _counted(words: Words) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]:
    """Return where the distinct words of each text begin, these words, ascending, and how often each occurs in it."""
    begins = np.empty(len(words.starts), np.int64)
    distinct, times = np.empty(len(words.hashes), np.uint64), np.empty(len(words.hashes), np.int64)
    count = kernels.bags_of(words.hashes, words.starts, begins, distinct, times)
    return begins, distinct[:count], times[:count]


def _inverted(
    bag: NDArray[np.int64], columns: NDArray[np.int64], weights: NDArray[np.float64], least: float, words: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the inverted index: where the bags of each word begin, and the bags."""
    order = np.lexsort((columns, -weights, bag))
    squares = np.cumsum(weights[order] ** 2)
    before = squares - weights[order] ** 2
    begin = np.searchsorted(bag[order], bag[order])
    rest = 1 - (before - before[begin])
    heaviest = order[rest >= least**2 - kernels.SLACK]
    heaviest = heaviest[np.lexsort((bag[heaviest], columns[heaviest]))]
    lists = np.concatenate([[0], np.cumsum(np.bincount(columns[heaviest], minlength=words))])
    return lists, bag[heaviest]


@cache
def _common() -> NDArray[np.uint64]:
    """Return the hashes of common words."""
    return words_of(pl.Series([COMMON])).hashes
