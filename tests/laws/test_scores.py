"""Laws of every score."""

from __future__ import annotations

import numpy as np

from recipe.data.pool import Pool
from recipe.engine import running


def test_one_finite_number_a_sample(score_name, called, labelled, unchanged):
    """A score is one finite float32 for each sample, and leaves the pool as it was."""
    values = called("score", score_name)(unchanged(labelled))
    assert values.shape == (len(labelled),)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


def test_neither_threads_nor_order_matter(score_name, called, labelled, same_labelled):
    """Another call, one thread or three, and another order of reading give the same bits."""
    score = called("score", score_name)
    with running("serial"):
        first = score(labelled).tobytes()
    with running("auto", workers=3):
        assert score(labelled).tobytes() == first
        assert score(same_labelled).tobytes() == first


def test_odd_pools(score_name, called, labelled):
    """A pool of which nothing may be selected has finite scores, and an empty one has none."""
    score = called("score", score_name)
    assert np.isfinite(score(labelled.refuse(labelled.rows["key"]))).all()
    assert score(Pool(labelled.rows.clear(), labelled.vectors[:0])).shape == (0,)
