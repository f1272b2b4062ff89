"""The compiled kernel of submodular mixtures: lazy greedy on a weighted sum of terms of one table of similarities."""


# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled
from recipe.stages.select._kernels.lazy_greedy import concept_gain, drop_top, heap_of, sift_down


@compiled()
def _look(j, quanta, best, load, cap, alike, weight, concepts, bonus, gain):
    """Write the weighted gain of a candidate in each term, and return their sum, added in a fixed order."""
    row = quanta[j]
    covered, filled = np.int64(0), np.int64(0)
    for i in range(len(row)):
        q = np.int64(row[i])
        covered += max(q - best[i], 0)
        filled += max(min(q, cap[i] - load[i]), 0)
    start, codes, worth, seen = concepts
    gain[0] = weight[0] * covered
    gain[1] = weight[1] * filled
    gain[2] = weight[2] * (alike[j] - weight[3] * (2 * load[j] + row[j]))
    gain[3] = concept_gain(j, start, codes, worth, seen)
    gain[4] = bonus[j]
    return gain[0] + gain[1] + gain[2] + gain[3] + gain[4]


@compiled()
def blend_walk(quanta, cap, weight, concepts, bonus, cell, quota, image, room):
    """Pick the largest weighted gain; return positions, gains (k,) and gains by term (k, 5), float64.

    From (b, b) symmetric int16 quanta: coverage is the best similarity of each sample, saturated coverage their sum up
    to `cap`, the graph cut the sum of all minus `weight[3]` times the sum among the picks. Gains in each term are whole
    numbers that never grow, so their weighted sums, added in a fixed order, never grow either, and lazy greedy picks
    what naive greedy would. Ties go to the smaller position. O(b) per evaluation.
    """
    n = len(quanta)
    best = np.zeros(n, np.int64)
    load = np.zeros(n, np.int64)
    alike = np.zeros(n, np.int64)
    for j in range(n):
        for i in range(n):
            alike[j] += quanta[j, i]
    gain = np.empty((n, 5), np.float64)
    bound = np.empty(n, np.float64)
    known = np.zeros(n, np.int64)
    for j in range(n):
        bound[j] = _look(j, quanta, best, load, cap, alike, weight, concepts, bonus, gain[j])
    heap = heap_of(bound)
    order = np.empty(n, np.int64)
    count = 0
    size = n
    while size > 0:
        j = heap[0]
        closed = quota[cell[j]] <= 0 or room[image[j]] <= 0
        if not closed and known[j] != count:
            bound[j] = _look(j, quanta, best, load, cap, alike, weight, concepts, bonus, gain[j])
            known[j] = count
            sift_down(heap, size, 0, bound)
            continue
        size = drop_top(heap, size, bound)
        if closed:
            continue
        for i in range(n):
            best[i] = max(best[i], quanta[j, i])
            load[i] += quanta[j, i]
        for t in range(concepts[0][j], concepts[0][j + 1]):
            concepts[3][concepts[1][t]] += 1
        quota[cell[j]] -= 1
        room[image[j]] -= 1
        order[count] = j
        count += 1
    order = order[:count]
    return order, bound[order], gain[order]
