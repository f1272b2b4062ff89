"""How typical a sample's length is for its task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool

MAD = 1.4826  # median absolute deviation to standard deviation, for a normal distribution


def score(pool: Pool) -> NDArray[np.float32]:
    """Score 1 at the median length of the task, less for much longer and much shorter samples; O(n log n).

    The score is ``exp(-z**2 / 2)`` with z the robust z-score of log(1 + words) among the eligible samples of the task.
    If all samples of a task have the same length, they score 1.

    Parameters
    ----------
    pool
        n samples with `task` and `n_words`.

    Returns
    -------
    ndarray
        (n,) float32 in 0..1; 0 for a sample that may not be selected.

    References
    ----------
    Median and MAD for location and scale: Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers, section 3.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> bool((score(scored) <= 1).all())
    True
    """
    words = (pl.col("n_words") + 1).cast(pl.Float64).log()
    table = pool.rows.select("row", "task", words=words).filter(pool.eligible)
    off = table.with_columns(off=(pl.col("words") - pl.col("words").median().over("task")).abs())
    spread = MAD * pl.col("off").median().over("task")
    z = pl.when(pl.col("off") == 0).then(0.0).when(spread == 0).then(np.inf).otherwise(pl.col("off") / spread)
    scores = np.zeros(len(pool), np.float32)
    scores[table["row"].to_numpy()] = off.select((-z.pow(2) / 2).exp()).to_series().to_numpy()
    return scores
