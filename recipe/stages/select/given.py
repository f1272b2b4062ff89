"""The order of reading, by which a file keeps its own order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.picks import Picks
from recipe.stages.select._image_limits import fill_up, take

if TYPE_CHECKING:
    from recipe.config.ranges import Integer
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas

ORDERED = True  # its picks depend on the order of files and records


def select(pool: Pool, quotas: Quotas, *, seed: Integer = 0) -> Picks:  # noqa: ARG001  every selector takes a seed
    """Pick samples in the order in which they were read, until each cell has its quota; O(n log n).

    For parts of size "all", such as a published mix that is kept unchanged. It is the only selector whose picks depend
    on the order of files and records.

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
