"""The order of reading: what a file keeps its own order by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.picks import Picks
from recipe.stages.select._image_limits import fill_up, take

if TYPE_CHECKING:
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas

ORDERED = True  # its picks depend on the order of files and records, which is what it keeps


def select(pool: Pool, quotas: Quotas, *, seed: int = 0) -> Picks:  # noqa: ARG001  every selector takes a seed
    """Pick samples in the order in which they were read, until each cell has its quota; O(n log n).

    Made for parts that take all there is, as a published mix that is passed through. It is the one selector whose picks
    hang on the order of files and records: that order is what it keeps.

    Parameters
    ----------
    pool
        n samples.
    quotas
        How many of each cell.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for, without gains.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=4), size=20, select="given", balance={"margins": {}, "yes_share": None})
    >>> order = mix.pool.rows["order"].gather(mix.picks.rows)
    >>> order.is_sorted()
    True
    """
    order = np.argsort(pool.rows["order"].to_numpy(), kind="stable")
    return fill_up(Picks(take(order, quotas)), quotas)
