"""Compiled kernels on similarities: keep the nearest of each point, sort them by candidate, sum gains, farthest first.

numba infers the types; `lazy_greedy` explains quanta.
"""


# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, _quantum

STEP = 16  # columns that are skipped at once if none of them is near enough


@compiled(fastmath={"nnan"})
def nearest_columns(similarities, keep):
    """Return the `keep` nearest columns of each row and their quanta, nearest first; ties go to the smaller column.

    From (n, m) float32: (n, min(keep, m)) int32 and int16. O(n (m + keep^2 log(m / keep))) at most.
    """
    rows, width = similarities.shape
    keep = min(keep, width)
    columns = np.empty((rows, keep), np.int32)
    quanta = np.empty((rows, keep), np.int16)
    line = np.zeros((width + STEP - 1) // STEP * STEP, np.int16)
    kept = np.empty(keep + 1, np.int64)  # quanta and column in one number that sorts by quanta, then column
    for i in range(rows):
        for j in range(width):
            line[j] = _quantum(similarities[i, j])
        kept[:] = -1
        for first in range(0, width, STEP):
            largest = np.int16(0)
            for j in range(first, first + STEP):
                largest = max(largest, line[j])
            if (np.int64(largest + 1) << 32) <= kept[keep - 1]:
                continue
            for j in range(first, min(first + STEP, width)):
                item = (np.int64(line[j] + 1) << 32) - j
                at = keep
                if item <= kept[keep - 1]:
                    continue
                while at > 0 and kept[at - 1] < item:
                    kept[at] = kept[at - 1]
                    at -= 1
                kept[at] = item
        for t in range(keep):
            quantum = (kept[t] + 0xFFFFFFFF) >> 32
            columns[i, t] = (quantum << 32) - kept[t]
            quanta[i, t] = quantum - 1
    return columns, quanta


@compiled()
def count_columns(columns, count):
    """Add to `count` how often each column occurs in (n, keep) int32 columns."""
    for i in range(columns.shape[0]):
        for t in range(columns.shape[1]):
            count[columns[i, t]] += 1


@compiled()
def place_columns(columns, quanta, first, place, points, sorted_quanta):
    """Append what rows `first`, `first` + 1, ... keep to the lists of their columns; `place` has the next positions."""
    for i in range(columns.shape[0]):
        for t in range(columns.shape[1]):
            at = place[columns[i, t]]
            points[at] = first + i
            sorted_quanta[at] = quanta[i, t]
            place[columns[i, t]] = at + 1


@compiled(fastmath={"nnan"})
def gains_beyond(similarities, best):
    """Return the summed excess of each column of (n, m) float32 similarities over the best of the rows, (m,) int64.

    n is at most 100,000, or int32 overflows.
    """
    rows, columns = similarities.shape
    gains = np.zeros(columns, np.int32)
    for i in range(rows):
        least = np.int32(best[i])
        for j in range(columns):
            gains[j] += max(np.int32(_quantum(similarities[i, j])) - least, np.int32(0))
    return gains.astype(np.int64)


@compiled()
def farthest_first(similarity, first, cell, quota):
    """Order the rows of a block farthest-first under quotas; return positions, and distances in quanta when picked."""
    n = len(similarity)
    nearest = np.zeros(n, np.int16)
    picked = np.zeros(n, np.bool_)
    order = np.empty(n, np.int64)
    distance = np.empty(n, np.int64)
    count = 0
    at = first if quota[cell[first]] > 0 else -1
    while True:
        if at < 0:
            for i in range(n):
                if not picked[i] and quota[cell[i]] > 0 and (at < 0 or nearest[i] < nearest[at]):
                    at = i
        if at < 0:
            return order[:count], distance[:count]
        order[count] = at
        distance[count] = QUANTUM - nearest[at]
        picked[at] = True
        quota[cell[at]] -= 1
        count += 1
        for i in range(n):
            nearest[i] = max(nearest[i], similarity[at, i])
        at = -1
