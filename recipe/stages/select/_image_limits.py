"""Take rows in order under quotas and image limits, and fill up cells whose quota an image limit blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import SupplyError
from recipe.stages.select._kernels.lazy_greedy import walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.picks import Picks
    from recipe.data.quotas import Quotas


def take(order: NDArray[np.int64], quotas: Quotas, *, taken: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Go through rows in order and take each one whose cell and image are not yet full; O(n).

    Parameters
    ----------
    order
        Rows of the pool, the best first; rows that may not be selected are skipped.
    quotas
        How many of each cell and image.
    taken
        Rows that were picked before and count towards the limits.

    Returns
    -------
    ndarray
        The rows taken, in order.
    """
    before = np.zeros(0, np.int64) if taken is None else taken
    spent = quotas.cell[before]
    quota = quotas.quota - np.bincount(spent[spent >= 0], minlength=len(quotas.quota))
    images = np.bincount(quotas.image[before], minlength=int(quotas.image.max(initial=-1)) + 1)
    most = quotas.per_image or len(quotas.cell)
    found: NDArray[np.int64] = walk(order, quotas.cell, quota, quotas.image, images, most)
    return found


def fill_up(picks: Picks, quotas: Quotas) -> Picks:
    """Complete picks that image limits kept below the size, at a gain of 0, smaller keys first.

    The missing samples of a blocked cell come from other cells of its stratum, and if these are blocked too, from any
    cell without a limit. Without limits on values this always succeeds: as long as fewer samples are picked than the
    images allow in total, some image has an unpicked row that may still be picked.

    Raises
    ------
    SupplyError
        If limits on images and values together leave too few samples.
    """
    if len(picks) == quotas.size:
        return picks
    unpicked = quotas.cell >= 0
    unpicked[picks.rows] = False
    for group in (quotas.stratum, np.zeros_like(quotas.stratum)):
        if (missing := quotas.size - len(picks)) == 0:
            break
        wider = replace(
            quotas,
            cell=np.where(quotas.cell >= 0, group[quotas.cell], -1).astype(np.int32),
            quota=np.bincount(group, quotas.quota).astype(np.int64),
        )
        if group is not quotas.stratum:
            wider = replace(wider, cell=np.where(quotas.limited[quotas.cell], -1, wider.cell))
        more = take(np.flatnonzero(unpicked), wider, taken=picks.rows)[:missing]
        gains = {term: np.concatenate([gain, np.zeros(len(more))]) for term, gain in picks.gains.items()}
        picks = replace(picks, rows=np.concatenate([picks.rows, more]), gains=gains)
        unpicked[more] = False
    if missing := quotas.size - len(picks):
        raise SupplyError(f"size={quotas.size}: limits on images and values leave {missing} too few; raise one of them")
    return picks
