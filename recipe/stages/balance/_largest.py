"""The largest mix whose answers are balanced, where a mix may be smaller than the size asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import SupplyError
from recipe.stages.balance._strata import image_numbers, supply_weights, tilts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recipe.config.sections import Balance
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


def largest(pool: Pool, size: int, balance: Balance, quotas_of: Callable[[int], Quotas]) -> Quotas:
    """Return the quotas of the largest mix of at most `size` samples that keeps the share of yes and all limits.

    Margins are met as far as supply allows, as in a mix of any size; the share of yes is met to within one answer, or
    one sample where samples have several answers.

    Parameters
    ----------
    pool
        n samples, labelled.
    size
        Samples asked for, from 1.
    balance
        Its share of yes and its limits.
    quotas_of
        Size to quotas; raises SupplyError if the pool cannot give so many.

    Raises
    ------
    SupplyError
        If not even one sample can be given.
    """
    weight, tilt = supply_weights(pool, image_numbers(pool), balance.per_image), tilts(pool, balance.yes_share)
    low, high, best = 1, max(1, min(size, _bound(weight, tilt))), None
    wanted = high
    while low <= high:
        try:
            quotas = quotas_of(wanted)
        except SupplyError:
            if wanted == 1:
                raise
            quotas = None
        if quotas is not None and (_is_even(quotas, tilt) or wanted == 1):
            best, low = quotas, wanted + 1
        else:
            high = wanted - 1
        wanted = (low + high + 1) // 2
    return quotas_of(1) if best is None else best


def _bound(weight: NDArray[np.float64], tilt: NDArray[np.float64]) -> int:
    """Return how many samples can be picked at most so that their tilts sum to zero; those of least tilt come first."""
    sides = [(weight[side], np.abs(tilt[side])) for side in (tilt > 0, tilt < 0)]
    least = min(float(supply @ size) for supply, size in sides)
    count = float(weight[tilt == 0].sum())
    for supply, size in sides:
        order = np.argsort(size, kind="stable")
        spent = np.cumsum(supply[order] * size[order])
        whole = int(np.searchsorted(spent, least + 1e-6, side="right"))
        count += float(supply[order][:whole].sum())
        if whole < len(order):  # a part of the next sample, since a weight is a share of one
            left = least - (float(spent[whole - 1]) if whole else 0.0)
            count += left / float(size[order][whole])
    return int(count + 1e-6)


def _is_even(quotas: Quotas, tilt: NDArray[np.float64]) -> bool:
    """Return whether the answers of the quotas are balanced to within one sample."""
    some = quotas.cell >= 0
    of_cell = np.zeros(len(quotas.quota))
    of_cell[quotas.cell[some]] = tilt[some]  # samples of a cell have one tilt
    return abs(float(of_cell @ quotas.quota)) <= max(1.0, float(np.abs(tilt).max(initial=0.0)))
