"""The compiled kernel of selectors that weigh the value of a sample against its similarity to the picks."""


# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled


@compiled()
def penalised_walk(quanta, worth, weight, summed, drift, cell, quota, image, room):
    """Pick the largest value minus weighted similarity to the picks; return positions and gains, (k,) float64.

    Similarity is the largest of (b, b) int16 quanta to the picks so far, or, if `summed`, their sum plus `drift` for
    each pick. All are whole numbers, so ties are exact; they go to the smaller position. Every pick is compared with
    its whole block, which takes no longer than a heap would. O(b) per pick.
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
