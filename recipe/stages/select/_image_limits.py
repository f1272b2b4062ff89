"""The last picks, where a limit on images keeps cells from their quotas."""

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
    """Walk an order of rows and take each one whose cell and image still have room; O(n).

    Parameters
    ----------
    order
        Rows of the pool, the most wanted first; rows that may not be selected are passed over.
    quotas
        How many of each cell and image.
    taken
        Rows that were picked before and count against the limits.

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
    """Complete picks that an image limit kept below the size, at a gain of 0, by smaller keys first.

    A cell that is blocked is replaced by another of its stratum, and when the stratum is blocked too by any that is not
    limited. Without limits it always succeeds: as long as fewer are picked than the images allow in all, some image has
    an unpicked row and room for it.

    Raises
    ------
    SupplyError
        If the limits on images and on values together leave too few samples.
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
