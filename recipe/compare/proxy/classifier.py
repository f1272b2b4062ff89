"""Kind of answer and task: how well a classifier trained on the mix's vectors predicts those of held-out samples."""

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
COLUMNS = {"kind": "answer", "task": "task"}  # name of the accuracy to the column that is predicted


def proxy(
    ready: Prepared,
    picked: NDArray[np.int64],
    held_out: NDArray[np.int64],
    *,
    c: float = 10.0,
    seed: int = 0,  # noqa: ARG001  every learner takes a seed; the one minimum of a convex loss needs none
) -> dict[str, float]:
    """Fit logistic regression from the mix's vectors to their labels and score it on held-out samples.

    Every sample of the mix has the same weight, so a mix that neglects a class has a low accuracy on it.
    scikit-learn's `LogisticRegression` is fitted by some hundred steps of L-BFGS in float64. BLAS runs on one thread,
    so that sums have one order. O(steps k d classes).

    Parameters
    ----------
    ready
        The pool, labelled and embedded.
    picked
        (k,) rows of the mix, from 1; their order is irrelevant.
    held_out
        (m,) rows to evaluate on, from 1.
    c
        Inverse strength of the penalty, as scikit-learn's `C`, above 0.
    seed
        Unused.

    Returns
    -------
    dict
        ``kind`` (of answer) and ``task``: balanced accuracy on 0..1, higher is better: the mean, over the classes that
        are held out, of the recall of a class. A class that the mix does not have counts as 0.

    Raises
    ------
    ConfigError
        If there are no rows to learn from or to evaluate on, the pool has no vectors, or a knob is out of its range.

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

    learned, judged = ready.places(picked), ready.places(held_out)
    points, held_out_points = (rows_of(ready.pool.vectors, ready.rows[places]) for places in (learned, judged))

    def accuracy_of(column: str) -> float:
        """Return the balanced accuracy of one column."""
        codes = ready.classes[column]
        known = np.unique(codes[learned])
        if len(known) == 1:  # one class, which scikit-learn refuses
            return balanced_accuracy(codes[judged], np.full(len(judged), known[0]))
        model = LogisticRegression(C=c, max_iter=STEPS).fit(points, codes[learned])
        return balanced_accuracy(codes[judged], model.predict(held_out_points))

    return dict(zip(COLUMNS, each(accuracy_of, list(COLUMNS.values()), label="classifier"), strict=True))


def balanced_accuracy(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Return the mean recall of the classes that occur.

    Parameters
    ----------
    true, predicted
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
    return float(np.mean(np.bincount(own, weights=predicted == true) / np.bincount(own)))
