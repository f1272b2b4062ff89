"""The compiled walk of selectors that weigh what a sample is worth against how like the picks it is."""


# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def penalised_walk(quanta, worth, weight, summed, drift, cell, quota, image, room):
    """Pick the largest worth less weighted likeness to the picks; return places and their gains, (k,) float64.

    Likeness is the largest of (b, b) int16 quanta to the picks so far, or, if `summed`, their sum and `drift` for each
    pick. All of it is whole numbers, so ties are ties; they go to the smaller place. Every pick is compared with all of
    its block, which takes no longer than a heap would. O(b) a pick.
    """
    n = len(quanta)
    likeness = np.zeros(n, np.float64)
    picked = np.zeros(n, np.bool_)
    order = np.empty(n, np.int64)
    gains = np.empty(n, np.float64)
    count = 0
    while True:
        at = -1
        most = 0.0
        for j in range(n):
            if picked[j] or quota[cell[j]] <= 0 or room[image[j]] <= 0:
                continue
            gain = worth[j] - weight * likeness[j]
            if at < 0 or gain > most:
                at = j
                most = gain
        if at < 0:
            return order[:count], gains[:count]
        order[count] = at
        gains[count] = most
        picked[at] = True
        quota[cell[at]] -= 1
        room[image[at]] -= 1
        count += 1
        if summed:
            for j in range(n):
                likeness[j] += quanta[at, j] + drift[j]
        else:
            for j in range(n):
                likeness[j] = max(likeness[j], np.float64(quanta[at, j]))
