"""The compiled kernel of determinantal point processes: lazy greedy on an incremental Cholesky factor."""


# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, drop_top, heap_of, sift_down


@compiled()
def _dot(a, b, length):
    """Sum products of float64 in eight lanes, which are vectorised, in the same order on every machine."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    whole = length - length % 8
    for t in range(0, whole, 8):
        a0 += a[t] * b[t]
        a1 += a[t + 1] * b[t + 1]
        a2 += a[t + 2] * b[t + 2]
        a3 += a[t + 3] * b[t + 3]
        a4 += a[t + 4] * b[t + 4]
        a5 += a[t + 5] * b[t + 5]
        a6 += a[t + 6] * b[t + 6]
        a7 += a[t + 7] * b[t + 7]
    total = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))
    for t in range(whole, length):
        total += a[t] * b[t]
    return total


@compiled()
def _project(j, first, picks, count, similarity, width, ridge, factor, volume):
    """Update a candidate's row of the factor to the current picks; return what it adds to the volume."""
    left = volume[j]
    for t in range(first, count):
        p = picks[t]
        like = np.exp(min(np.float64(similarity[j, p]) - 1.0, 0.0) / width) / (1.0 + ridge)
        step = (like - _dot(factor[j], factor[p], t)) / np.sqrt(volume[p])
        factor[j, t] = step
        left -= step * step
    return max(left, ridge / (1.0 + ridge))  # what would be left of a duplicate without rounding


@compiled()
def volume_walk(similarity, bonus, width, ridge, cell, quota, image, room):
    """Pick the largest gain in log volume and bonus; return positions and gains, (k,) float64 whole quanta.

    A candidate's row of the factor is updated only when it is on top of a heap of bounds, since its volume only falls.
    Gains are rounded to quanta, so that rounding of float sums does not decide ties; they go to the smaller position.
    O(k^2) per candidate that is evaluated to the end.
    """
    n = len(similarity)
    most = min(n, quota.sum())
    factor = np.empty((n, most), np.float64)
    volume = np.ones(n, np.float64)
    known = np.zeros(n, np.int64)  # picks that the row of the factor includes
    bound = bonus.copy()
    heap = heap_of(bound)
    order = np.empty(most, np.int64)
    gains = np.empty(most, np.float64)
    count = 0
    size = n
    while size > 0 and count < most:
        j = heap[0]
        closed = quota[cell[j]] <= 0 or room[image[j]] <= 0
        if not closed and known[j] != count:
            volume[j] = _project(j, known[j], order, count, similarity, width, ridge, factor, volume)
            known[j] = count
            bound[j] = bonus[j] + np.rint(np.log(volume[j]) * QUANTUM)
            sift_down(heap, size, 0, bound)
            continue
        size = drop_top(heap, size, bound)
        if closed:
            continue
        order[count] = j
        gains[count] = bound[j]
        quota[cell[j]] -= 1
        room[image[j]] -= 1
        count += 1
    return order[:count], gains[:count]
