"""How scarce a sample's cell is relative to the recipe's shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def score(pool: Pool) -> NDArray[np.float32]:
    """Score the share of its cell that the recipe wants: quota over supply; O(n).

    Parameters
    ----------
    pool
        n samples with `cell` and `cell_quota`, which the balance stage attaches.

    Returns
    -------
    ndarray
        (n,) float32 in 0..1: the probability that a random draw under the quotas picks the sample. 1 if the recipe
        wants the whole cell, 0 for a sample that may not be selected.

    Raises
    ------
    ConfigError
        If the pool has no quotas.

    References
    ----------
    An inclusion probability in the sense of Horvitz and Thompson 1952.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4), size=0.5)
    >>> round(float(score(scored).sum())) == int(scored.eligible.sum()) // 2
    True
    """
    if "cell" not in pool.rows.columns:
        raise ConfigError("score.balance: expected a pool with quotas; use score_pool or select_mix")
    cell = pool.rows["cell"].fill_null(-1).to_numpy()
    quota = pool.rows["cell_quota"].fill_null(0).to_numpy()
    chosen = (cell >= 0) & pool.eligible
    supply = np.bincount(cell[chosen], minlength=int(cell.max(initial=-1)) + 1)
    scores = np.zeros(len(pool), np.float32)
    scores[chosen] = quota[chosen] / supply[cell[chosen]]
    return scores
