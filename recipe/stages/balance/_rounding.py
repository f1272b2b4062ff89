"""Round real shares to integers with exact sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from recipe.errors import SupplyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLACK = 1e-6  # a share this close to a whole number counts as one
MINUTE = 1e-100  # a weight this small relative to the largest counts as 0, since products of them would underflow


def fill(weights: NDArray[np.float64], total: float, caps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share a total in proportion to weights, no share above its cap: ``min(caps, a * weights)`` with the right `a`.

    The rest of a capped share goes to the others in proportion to their weights, and to those of weight zero only when
    all others are at their caps. O(m log m).

    Parameters
    ----------
    weights
        (m,) float64, not negative.
    total
        Sum of the result; at most the sum of the caps.
    caps
        (m,) float64, not negative.

    Returns
    -------
    ndarray
        (m,) float64 with sum `total`.

    Examples
    --------
    >>> fill(np.array([1.0, 1.0, 2.0]), 8.0, np.array([1.0, 9.0, 9.0])).round(3).tolist()
    [1.0, 2.333, 4.667]
    """
    weights = np.where(weights > weights.max(initial=0.0) * MINUTE, weights, 0.0)
    room = float(caps[weights > 0].sum())
    if total >= room:
        spare = np.where(weights > 0, 0.0, caps)
        left = min(total - room, spare.sum())
        return np.where(weights > 0, caps, spare * (left / spare.sum() if spare.sum() else 0.0))
    ratio = np.divide(caps, weights, out=np.full_like(caps, np.inf), where=weights > 0)
    order = np.argsort(ratio, kind="stable")
    # With the first j entries at their caps, the others share the rest at rate a_j; the right j is the last one whose
    # cap is reached at that rate.
    capped = np.concatenate([[0.0], np.cumsum(caps[order])[:-1]])
    open_weight = np.cumsum(weights[order][::-1])[::-1]
    rate = np.divide(total - capped, open_weight, out=np.zeros_like(caps), where=open_weight > 0)
    at = int(np.argmax(rate <= ratio[order]))
    share: NDArray[np.float64] = np.minimum(caps, rate[at] * weights)
    return share


def largest_remainder(shares: NDArray[np.float64], total: int, caps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round shares to integers with an exact sum; ties go to the smaller index.

    Parameters
    ----------
    shares
        (m,) float64 with sum `total`, none above its cap.
    total
        The exact sum of the result.
    caps
        (m,) int64.

    Returns
    -------
    ndarray
        (m,) int64, each the floor or the ceiling of its share.

    Raises
    ------
    SupplyError
        If the caps do not allow the total.

    References
    ----------
    Hamilton's method of apportionment.

    Examples
    --------
    >>> largest_remainder(np.array([1.5, 1.5, 2.0]), 5, np.array([9, 9, 9])).tolist()
    [2, 1, 2]
    """
    if caps.sum() < total:
        raise SupplyError(f"expected a supply of at least {total} samples, got {int(caps.sum())}: ask for fewer")
    whole = np.minimum(np.floor(shares + SLACK).astype(np.int64), caps)
    while (short := total - int(whole.sum())) > 0:
        remainder = np.where(whole < caps, shares - whole, -np.inf)
        room = int((whole < caps).sum())
        whole[np.argsort(-remainder, kind="stable")[: min(short, room)]] += 1
    return whole


def controlled_rounding(
    row: NDArray[np.int64], column: NDArray[np.int64], share: NDArray[np.float64], row_sums: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Round a two-way table so that cells, rows and columns are each the floor or the ceiling of their real value.

    Such a rounding always exists: the real table is a feasible flow in a network with integer capacities, so there is
    an integral one. O(E sqrt(V)) for E cells and V rows and columns (unit capacities).

    Parameters
    ----------
    row, column
        (E,) int64 row and column of each cell.
    share
        (E,) float64 real value of each cell.
    row_sums
        (R,) int64 sum of each row of the result, equal to the row's sum of `share`.

    Returns
    -------
    ndarray
        (E,) int64.

    References
    ----------
    Bacharach 1966, Matrix Rounding Problems; Cox 1987, A Constructive Procedure for Unbiased Controlled Rounding.

    Examples
    --------
    >>> corner = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> controlled_rounding(*corner, np.full(4, 0.5), np.array([1, 1])).reshape(2, 2).sum(axis=0).tolist()
    [1, 1]
    """
    floor = np.floor(share + SLACK).astype(np.int64)
    fraction = np.maximum(share - floor, 0.0)
    rows, columns = len(row_sums), int(column.max(initial=-1)) + 1
    need = row_sums - np.bincount(row, floor, rows).astype(np.int64)
    column_fraction = np.bincount(column, fraction, columns)
    column_floor = np.floor(column_fraction + SLACK).astype(np.int64)
    source, overflow, sink = rows + columns, rows + columns + 1, rows + columns + 2
    loose = fraction > SLACK
    # A column first fills its floor; one more unit may pass through `overflow`, which can take what the floors leave.
    edges = [
        (np.full(rows, source), np.arange(rows), need),
        (row[loose], rows + column[loose], np.ones(int(loose.sum()), np.int64)),
        (rows + np.arange(columns), np.full(columns, sink), column_floor),
        (
            rows + np.arange(columns),
            np.full(columns, overflow),
            (column_fraction > column_floor + SLACK).astype(np.int64),
        ),
        (np.array([overflow]), np.array([sink]), np.array([need.sum() - column_floor.sum()])),
    ]
    tail, head, capacity = (np.concatenate(part).astype(np.int32) for part in zip(*edges, strict=True))
    network = csr_array((capacity.clip(0), (tail, head)), shape=(sink + 1, sink + 1))
    flow = maximum_flow(network, source, sink).flow.tocoo()
    sent = (flow.data > 0) & (flow.row < rows) & (flow.col >= rows) & (flow.col < rows + columns)
    up = flow.row[sent].astype(np.int64) * columns + flow.col[sent] - rows
    rounded: NDArray[np.int64] = floor + np.isin(row * columns + column, up)
    return rounded
