"""Survey raking: cell sizes that meet several margins at once and stay close to the pool's own shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from recipe.stages.balance._rounding import fill, largest_remainder

if TYPE_CHECKING:
    from numpy.typing import NDArray

SWEEPS = 300
CLOSE = 1e-4  # samples; a sweep that moves no cell by more has converged, since cells are rounded to whole samples
TIGHT = 1e-9  # a tilt per sample this small counts as none
STEEPEST = 60.0  # exp(60) outweighs any ratio of cells


@dataclass(frozen=True)
class Margin:
    """The wanted sum of the cells of each value.

    Parameters
    ----------
    code
        (m,) int64: the value of each cell.
    wanted
        (v,) int64: the wanted sum of the cells of each value, or its maximum.
    at_most
        True if `wanted` is a maximum.
    """

    code: NDArray[np.int64]
    wanted: NDArray[np.int64]
    at_most: bool = False

    def fit(self, share: NDArray[np.float64], supply: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale the cells of each value to its wanted sum, as far as their supply allows; O(m) per round.

        Cells that would exceed their supply are fixed at it, and the others scaled again: the scale only grows, so a
        fixed cell stays fixed and a few rounds are enough. If no cell of a value is left to scale, because earlier
        margins emptied them, they are filled in proportion to their supply, so that the wanted sum is still reached.
        """
        values = len(self.wanted)
        got = np.bincount(self.code, share, values)
        wanted = np.minimum(self.wanted, got) if self.at_most else self.wanted
        fixed = np.zeros(len(share), np.bool_)
        while True:
            left = wanted - np.bincount(self.code, np.where(fixed, supply, 0.0), values)
            weight = np.bincount(self.code, np.where(fixed, 0.0, share), values)
            if (empty := (weight <= 0) & (left > 0)).any():
                share = np.where(empty[self.code] & ~fixed, supply, share)
                weight = np.bincount(self.code, np.where(fixed, 0.0, share), values)
            rate = np.divide(left, weight, out=np.zeros(values), where=weight > 0)
            fitted = np.where(fixed, supply, share * rate[self.code])
            over = ~fixed & (fitted > supply)
            if not over.any():
                return fitted
            fixed |= over


def tilt(
    share: NDArray[np.float64], supply: NDArray[np.float64], yes_tilt: NDArray[np.float64], total: float
) -> NDArray[np.float64]:
    """Reweight cells by ``exp(l * yes_tilt)`` so that the summed tilt is zero, or as close to zero as supply allows.

    The summed tilt grows with `l`, so `l` is found by a bracketed root search. This is calibration to one total with
    the multiplicative distance; raking is its special case for indicator totals.

    References
    ----------
    Deville and Särndal 1992, Calibration Estimators in Survey Sampling, section 2, case 2.
    """
    scale = np.abs(yes_tilt).max(initial=0.0)
    if scale == 0 or abs((share * yes_tilt).sum()) <= TIGHT * total:
        return share

    def tilted(rate: float) -> NDArray[np.float64]:
        exponent = rate * yes_tilt / scale
        return fill(share * np.exp(exponent - exponent.max()), total, supply)

    def summed(rate: float) -> float:
        return float((tilted(rate) * yes_tilt).sum())

    if summed(STEEPEST) <= 0:
        return tilted(STEEPEST)
    if summed(-STEEPEST) >= 0:
        return tilted(-STEEPEST)
    return tilted(brentq(summed, -STEEPEST, STEEPEST, xtol=1e-12))


def rake(
    supply: NDArray[np.int64], margins: list[Margin], size: int, *, yes_tilt: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Fit real cell sizes to margins by iterative proportional fitting within the supply.

    Starts from the pool's own shares and fits one margin after the other until a sweep changes nothing. If margins
    contradict each other or the supply, the later one is met and the sizes still sum to `size`. The tilt comes after
    all margins. O(sweeps (m v + m log m)).

    Parameters
    ----------
    supply
        (m,) int64 samples of each cell.
    margins
        Margins, the most important last.
    size
        Sum of the result; at most the sum of the supply.
    yes_tilt
        (m,) float64 how much one sample of the cell tilts to yes (positive) or no; its sum over the result is zero if
        supply allows.

    Returns
    -------
    ndarray
        (m,) float64 with sum `size`, each in 0..supply.

    References
    ----------
    Deming and Stephan 1940, On a Least Squares Adjustment of a Sampled Frequency Table; Deville, Särndal and Sautory
    1993, Generalized Raking Procedures in Survey Sampling, for the bounds.
    """
    caps = supply.astype(np.float64)
    share = fill(caps, float(size), caps)
    for _ in range(SWEEPS):
        before = share
        for margin in margins:
            share = margin.fit(share, caps)
        share = fill(share, float(size), caps)
        if yes_tilt is not None:
            share = tilt(share, caps, yes_tilt, float(size))
        if np.abs(share - before).max(initial=0.0) <= CLOSE:
            break
    return share


def round_strata(
    share: NDArray[np.float64],
    supply: NDArray[np.int64],
    first: Margin | None,
    size: int,
    *,
    yes_tilt: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Round the raked sizes to integers with an exact sum, exact values of the first margin, and the least tilt.

    A value with a wanted sum above 0 in the first margin keeps at least one sample, unless that margin is a limit.

    Parameters
    ----------
    share
        (m,) float64 as `rake` returns them.
    supply
        (m,) int64.
    first
        The margin whose sums are rounded first and then kept. None to round the cells at once.
    size
        The exact sum of the result.
    yes_tilt
        (m,) float64 as for `rake`.

    Returns
    -------
    ndarray
        (m,) int64, each in 0..supply.
    """
    code = first.code if first else np.zeros(len(share), np.int64)
    values = int(code.max(initial=-1)) + 1
    room = np.bincount(code, supply, values).astype(np.int64)
    strict = first is not None and first.at_most
    least = np.zeros(values, np.int64)
    if first is not None:
        room, least = (np.minimum(room, first.wanted), least) if strict else (room, np.minimum(first.wanted, 1))
    sums = np.bincount(code, share, values).astype(np.float64)
    if (sums < least).any():  # the tilt may have emptied a wanted value: it keeps one sample
        sums = least + fill(np.maximum(sums - least, 0), float(size - least.sum()), (room - least).astype(np.float64))
    totals = largest_remainder(sums, size, room)
    whole = np.zeros(len(share), np.int64)
    for value in range(values):
        cells = code == value
        inside = fill(share[cells], float(totals[value]), supply[cells].astype(np.float64))
        whole[cells] = largest_remainder(inside, int(totals[value]), supply[cells])
    return whole if yes_tilt is None else _level(whole, supply, yes_tilt, code, strict=strict)


def _level(
    whole: NDArray[np.int64],
    supply: NDArray[np.int64],
    yes_tilt: NDArray[np.float64],
    code: NDArray[np.int64],
    *,
    strict: bool,
) -> NDArray[np.int64]:
    """Move single samples between cells until no move brings the summed tilt closer to zero.

    Moves inside one value of the first margin come first, since they do not change it; others follow unless the margin
    is a limit, but none takes the last sample of a value. Of equally good moves the first pair of cells is used. Each
    move lowers the distance, so the loop ends; rounding leaves at most one sample per cell to move. Cells of one value
    with the same tilt are equivalent, so only the first of them is considered: O(m + v l l) per move, for v values and
    l tilts.
    """
    whole, m = whole.copy(), len(whole)
    tilts, like = np.unique(yes_tilt, return_inverse=True)
    shift = tilts[None, :] - tilts[:, None]  # change by moving one sample from a cell of the row to one of the column
    shape = (int(code.max(initial=-1)) + 1, len(tilts))
    for across in (False,) if strict else (False, True):
        while True:
            gap = float(whole @ yes_tilt)
            givers, takers = np.full(shape, m), np.full(shape, m)  # the first cell of each value and tilt; m for none
            gives, takes = np.flatnonzero(whole > 0), np.flatnonzero(whole < supply)
            np.minimum.at(givers, (code[gives], like[gives]), gives)
            np.minimum.at(takers, (code[takes], like[takes]), takes)
            if across:  # one more row, for moves between any two values
                rich = np.bincount(code, whole, shape[0]) > 1
                givers = np.vstack([givers, np.where(rich[:, None], givers, m).min(axis=0)])
                takers = np.vstack([takers, takers.min(axis=0)])
            movable = (givers[:, :, None] < m) & (takers[:, None, :] < m)
            left = np.where(movable, np.abs(gap + shift), np.inf)
            best = left.min(initial=np.inf)
            if best >= abs(gap) - TIGHT:
                break
            line, gave, took = np.nonzero(left == best)
            giver, taker = min(zip(givers[line, gave].tolist(), takers[line, took].tolist(), strict=True))
            whole[giver] -= 1
            whole[taker] += 1
    return whole
