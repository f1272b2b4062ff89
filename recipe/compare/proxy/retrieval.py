"""The answer to the most similar question: whether the mix has the questions that are queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.compare.proxy import _kernels as kernels
from recipe.compare.proxy._figures import mean_over_tasks, token_f1
from recipe.engine import each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.compare.proxy._prepared import Prepared

BLOCKS = 8  # of questions, shared among threads


def proxy(
    ready: Prepared,
    picked: NDArray[np.int64],
    held_out: NDArray[np.int64],
    *,
    seed: int = 0,  # noqa: ARG001  every learner takes a seed; nothing is drawn here
) -> dict[str, float]:
    """Answer the first question of each held-out sample with the answer to the mix's nearest question.

    Nearest is the largest cosine of TF-IDF vectors of words (`Prepared.questions`), over all pairs of the mix, exact;
    the pair that comes first in the pool wins a tie. Images are not used, so this measures whether the mix has the
    kinds of questions, and for each the form and the vocabulary of its answers.
    O(q s) for q different questions and s occurrences of their words in the mix's questions.

    Parameters
    ----------
    ready
        The pool, labelled.
    picked
        (k,) rows of the mix, from 1; their order is irrelevant.
    held_out
        (m,) rows to evaluate on, from 1.
    seed
        Unused.

    Returns
    -------
    dict
        ``f1``: mean over the tasks of the held-out samples' mean token F1 (as SQuAD's) on 0..1, higher is better.

    Raises
    ------
    ConfigError
        If there are no rows to learn from or to evaluate on.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> from recipe.compare.proxy import Prepared
    >>> ready = Prepared.of(score_pool(demo_pool(images=20), score=[]))
    >>> proxy(ready, ready.rows, ready.rows)["f1"] > proxy(ready, ready.rows[::2], ready.rows)["f1"]
    True
    """
    learned, judged = ready.places(picked), ready.places(held_out)
    queries = ready.firsts[judged]
    judged, queries = judged[queries < ready.firsts[judged + 1]], queries[queries < ready.firsts[judged + 1]]
    found = nearest_pairs(ready, ready.pairs(learned), queries)
    answers = ready.qas["answer"]
    predicted, true = answers.gather(found), answers.gather(queries)
    scores = np.array([token_f1(one, other) for one, other in zip(predicted, true, strict=True)])
    return {"f1": mean_over_tasks(scores, np.ones(len(scores)), ready.classes["task"][judged])}


def nearest_pairs(ready: Prepared, pairs: NDArray[np.int64], queries: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each query the pair whose question is the most similar.

    Parameters
    ----------
    ready
        The pool.
    pairs
        (p,) pairs to search, ascending, from 1.
    queries
        (q,) pairs whose question is looked up.

    Returns
    -------
    ndarray
        (q,) int64 pairs, of those with equal similarity the first.
    """
    numbers, vectors = ready.questions
    _, first = np.unique(numbers[pairs], return_index=True)
    candidates = pairs[np.sort(first)]  # of pairs with the same question the first
    columns = vectors[numbers[candidates]].tocsc()
    different, own = np.unique(numbers[queries], return_inverse=True)

    def found(block: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the nearest candidate of each question of a block."""
        rows = (vectors.indptr, vectors.indices, vectors.data)
        places: NDArray[np.int64] = kernels.nearest(
            *rows, columns.indptr, columns.indices, columns.data, len(candidates), block
        )
        return places

    nearest = np.concatenate(each(found, np.array_split(different, BLOCKS), label="retrieval"))
    return np.asarray(candidates[nearest[own]])
