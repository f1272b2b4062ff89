"""The most informative samples by their overlap with the concept set: the criterion of SVIT-core-150K."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.picks import Picks
from recipe.stages.select._image_limits import fill_up, take

if TYPE_CHECKING:
    from recipe.config.ranges import Integer
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


def select(pool: Pool, quotas: Quotas, *, seed: Integer = 0) -> Picks:  # noqa: ARG001  every selector takes a seed
    """Pick the samples that cover most concepts, then most keywords; ties go to the smaller key.

    Parameters
    ----------
    pool
        n samples with `concepts` and `n_keywords`.
    quotas
        How many of each cell.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `concepts` is the number of concepts that the sample covers.

    References
    ----------
    Zhao et al. 2023 (SVIT, arXiv 2307.04087), the data recipe: concept sets matching MME and MMBench, informativeness
    as the overlap with them, and the most informative samples picked. The code was never released.
    """
    overlap = pool.rows.select(pl.col("concepts").list.len().fill_null(0), pl.col("n_keywords").fill_null(0))
    concepts, keywords = (overlap[name].to_numpy().astype(np.int64) for name in overlap.columns)
    order = np.lexsort((-keywords, -concepts))
    picks = fill_up(Picks(take(order, quotas)), quotas)
    return Picks(picks.rows, {"concepts": concepts[picks.rows].astype(np.float64)})
