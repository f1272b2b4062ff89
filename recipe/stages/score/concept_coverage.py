"""How much of the concept list a sample covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def score(pool: Pool) -> NDArray[np.float32]:
    """Score the concepts that a sample covers, a rare concept more than a common one.

    The score is the sum over its concepts of ``log(1 + n / samples with the concept)``, divided by that sum over all
    concepts of the pool: 1 for a sample that covers all of them. O(n).

    Parameters
    ----------
    pool
        n samples with the list column `concepts`.

    Returns
    -------
    ndarray
        (n,) float32 in 0..1; 0 for a sample that may not be selected.

    References
    ----------
    Zhao et al. 2023 (SVIT), the data recipe: a sample's informativeness is its overlap with the concept set; here
    concepts are weighted as terms are in tf-idf.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> bool((score(scored) <= 1).all())
    True
    """
    chosen = pool.rows.select("row", "concepts").filter(pool.eligible)
    covered = chosen.explode("concepts").drop_nulls("concepts")
    rarity = covered.group_by("concepts").agg(rarity=(1 + chosen.height / pl.len()).log()).sort("concepts")
    total = float(rarity["rarity"].sum())
    scores = np.zeros(len(pool), np.float32)
    if total:
        weighed = covered.join(rarity, on="concepts", how="left", maintain_order="left")
        summed = np.bincount(weighed["row"].to_numpy(), weighed["rarity"].to_numpy(), len(pool))
        scores[:] = np.clip(summed / total, 0, 1)
    return scores
