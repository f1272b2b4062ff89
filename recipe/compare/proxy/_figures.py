"""Metrics that several learners use: a mean over tasks, and the token F1 of two answers."""

from __future__ import annotations

import re
from collections import Counter
from string import punctuation
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARTICLES = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", punctuation)


def mean_over_tasks(amounts: NDArray[np.float64], sizes: NDArray[Any], tasks: NDArray[np.int64]) -> float:
    """Return the mean over tasks of the summed amounts of a task divided by its summed sizes.

    Parameters
    ----------
    amounts, sizes
        (m,) of each sample, m from 1; a size is above 0.
    tasks
        (m,) int64 task of each sample.

    Returns
    -------
    float
        Every task has the same weight, whatever its size.

    Examples
    --------
    >>> mean_over_tasks(np.array([1.0, 3.0, 5.0]), np.array([1, 1, 2]), np.array([0, 0, 7]))
    2.25
    """
    _, own = np.unique(tasks, return_inverse=True)
    return float(np.mean(np.bincount(own, weights=amounts) / np.bincount(own, weights=sizes)))


def token_f1(predicted: str, true: str) -> float:
    """Return the F1 of the words that two answers share, as SQuAD counts it; O(words).

    Parameters
    ----------
    predicted, true
        Two answers. Case, ASCII punctuation, articles and white space do not count.

    Returns
    -------
    float
        On 0..1; where one of them has no words, 1 if the other has none either.

    References
    ----------
    Rajpurkar et al. 2016, SQuAD, section 6.1; answers without words as in the evaluation of SQuAD 2.0.

    Examples
    --------
    >>> token_f1("A brown dog.", "the dog")
    0.6666666666666666
    """
    words, wanted = (ARTICLES.sub(" ", text.lower().translate(NO_PUNCTUATION)).split() for text in (predicted, true))
    if not words or not wanted:
        return float(words == wanted)
    common = (Counter(words) & Counter(wanted)).total()
    return 2 * common / (len(words) + len(wanted))
