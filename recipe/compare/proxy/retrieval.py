"""The answer of the most similar question: how often the mix has already been asked what it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.compare.proxy import _kernels as kernels
from recipe.compare.proxy._figures import mean_over_tasks, token_f1
from recipe.engine import each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.compare.proxy._prepared import Prepared

BLOCKS = 8  # of questions that threads take in turn


def proxy(
    ready: Prepared,
    picked: NDArray[np.int64],
    held: NDArray[np.int64],
    *,
    seed: int = 0,  # noqa: ARG001  every learner takes a seed; nothing is drawn here
) -> dict[str, float]:
    """Answer the first question of each sample held out with the answer to the mix's nearest question.

    Nearest is the largest cosine of TF-IDF vectors of words (`Prepared.questions`), over all pairs of the mix, exact;
    ties go to the pair that stands first in the pool. Images are not looked at, so this measures whether the mix holds
    the kinds of questions, and for each the form and the vocabulary of its answers.
    O(q s) for q different questions and s places at which the mix's questions hold their words.

    Parameters
    ----------
    ready
        The pool, labelled.
    picked
        (k,) rows of the mix, from 1; their order is irrelevant.
    held
        (m,) rows to judge on, from 1.
    seed
        Unused.

    Returns
    -------
    dict
        ``f1``: mean over the tasks of the held samples' mean token F1 (as SQuAD's) on 0..1, higher is better.

    Raises
    ------
    ConfigError
        If there are no rows to learn from or to judge on.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> from recipe.compare.proxy import Prepared
    >>> ready = Prepared.of(score_pool(demo_pool(images=20), score=[]))
    >>> proxy(ready, ready.rows, ready.rows)["f1"] > proxy(ready, ready.rows[::2], ready.rows)["f1"]
    True
    """
    learned, judged = ready.places(picked), ready.places(held)
    asked = ready.firsts[judged]
    judged, asked = judged[asked < ready.firsts[judged + 1]], asked[asked < ready.firsts[judged + 1]]
    found = nearest_pairs(ready, ready.pairs(learned), asked)
    answers = ready.qas["answer"]
    said, true = answers.gather(found), answers.gather(asked)
    scores = np.array([token_f1(one, other) for one, other in zip(said, true, strict=True)])
    return {"f1": mean_over_tasks(scores, np.ones(len(scores)), ready.classes["task"][judged])}


def nearest_pairs(ready: Prepared, pairs: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each of some pairs the one of others whose question is the most similar.

    Parameters
    ----------
    ready
        The pool.
    pairs
        (p,) pairs to choose among, ascending, from 1.
    asked
        (q,) pairs whose question is asked.

    Returns
    -------
    ndarray
        (q,) int64 pairs, of those with equal similarity the first.
    """
    numbers, vectors = ready.questions
    _, first = np.unique(numbers[pairs], return_index=True)
    candidates = pairs[np.sort(first)]  # of pairs with the same question the first
    columns = vectors[numbers[candidates]].tocsc()
    different, own = np.unique(numbers[asked], return_inverse=True)

    def found(block: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the nearest candidate of each question of a block."""
        rows = (vectors.indptr, vectors.indices, vectors.data)
        places: NDArray[np.int64] = kernels.nearest(
            *rows, columns.indptr, columns.indices, columns.data, len(candidates), block
        )
        return places

    nearest = np.concatenate(each(found, np.array_split(different, BLOCKS), label="retrieval"))
    return np.asarray(candidates[nearest[own]])
