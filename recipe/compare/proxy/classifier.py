"""What kind of answer, and which task: how well the mix's vectors tell those of samples it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import each
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.compare.proxy._prepared import Prepared

STEPS = 1000  # ten times as many as a fit takes
TOLD = {"kind": "answer", "task": "task"}  # figure to the column that is foretold


def proxy(
    ready: Prepared,
    picked: NDArray[np.int64],
    held: NDArray[np.int64],
    *,
    c: float = 10.0,
    seed: int = 0,  # noqa: ARG001  every learner takes a seed; the one minimum of a convex loss needs none
) -> dict[str, float]:
    """Fit logistic regression from the mix's vectors to their labels and score it on the samples held out.

    Every sample of the mix weighs the same, so a mix that neglects a class pays for it where the class is held out.
    scikit-learn's `LogisticRegression` fits, by some hundred steps of L-BFGS in float64. BLAS runs on one thread, so
    sums have one order. O(steps k d classes).

    Parameters
    ----------
    ready
        The pool, labelled and embedded.
    picked
        (k,) rows of the mix, from 1; their order is irrelevant.
    held
        (m,) rows to judge on, from 1.
    c
        Inverse strength of the penalty, as scikit-learn's `C`, above 0.
    seed
        Unused.

    Returns
    -------
    dict
        ``kind`` (of answer) and ``task``: balanced accuracy on 0..1, higher is better: the mean, over the classes that
        are held out, of the share of a class that was told right. A class that the mix does not hold counts as 0.

    Raises
    ------
    ConfigError
        If there are no rows to learn from or to judge on, the pool has no vectors, or a knob is out of its range.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> from recipe.compare.proxy import Prepared
    >>> ready = Prepared.of(score_pool(demo_pool(images=20), score=[]))
    >>> figures = proxy(ready, ready.rows[::2], ready.rows[1::2])
    >>> sorted(figures), 0 < figures["kind"] <= 1
    (['kind', 'task'], True)
    """
    if c <= 0:
        raise ConfigError(f"proxy.classifier: expected c above 0, got c={c}")
    if ready.pool.vectors is None:
        raise ConfigError("proxy.classifier: expected a pool with vectors, got none; embed it as score_pool does")
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  takes 0.5 s to load

    learned, judged = ready.places(picked), ready.places(held)
    points, asked = (rows_of(ready.pool.vectors, ready.rows[places]) for places in (learned, judged))

    def told(column: str) -> float:
        """Return the balanced accuracy of one column."""
        codes = ready.classes[column]
        known = np.unique(codes[learned])
        if len(known) == 1:  # nothing to tell apart, which scikit-learn refuses
            return balanced_accuracy(codes[judged], np.full(len(judged), known[0]))
        model = LogisticRegression(C=c, max_iter=STEPS).fit(points, codes[learned])
        return balanced_accuracy(codes[judged], model.predict(asked))

    return dict(zip(TOLD, each(told, list(TOLD.values()), label="classifier"), strict=True))


def balanced_accuracy(true: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Return the mean, over the classes that occur, of the share of their samples that were told right.

    Parameters
    ----------
    true, said
        (m,) classes, m from 1.

    Returns
    -------
    float
        On 0..1.

    Examples
    --------
    >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 2, 0]))
    0.3333333333333333
    """
    _, own = np.unique(true, return_inverse=True)
    return float(np.mean(np.bincount(own, weights=said == true) / np.bincount(own)))
