"""A random selection under the same quotas: the baseline that every selector must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.picks import Picks
from recipe.engine.seed import shuffled
from recipe.stages.select._image_limits import fill_up, take

if TYPE_CHECKING:
    from recipe.config.ranges import Integer
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


def select(pool: Pool, quotas: Quotas, *, seed: Integer = 0) -> Picks:
    """Pick samples at random; each key draws its own number, so a sample's place does not depend on other samples.

    Parameters
    ----------
    pool
        n samples.
    quotas
        How many of each cell.
    seed
        Any integer.

    Returns
    -------
    Picks
        As many rows as the quotas ask for.
    """
    order = shuffled(np.arange(len(pool)), pool.rows["key"], seed=seed, label="select.random")
    return fill_up(Picks(take(order, quotas)), quotas)
