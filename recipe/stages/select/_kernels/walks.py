"""Compiled kernels on the samples of a block: herding, and the filter by similarity to the rows kept so far.

numba infers the types.
"""


# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled
from recipe.stages.select._kernels.lazy_greedy import QUANTUM


@compiled()
def gaussian_quanta(cosine, sigma):
    """Convert (n, n) float32 cosines of unit rows to int16 quanta of exp(-|x - y|^2 / (2 sigma^2)), symmetric.

    |x - y|^2 is 2 - 2 cos. The diagonal is set to exactly 1.0, which half precision may have changed.
    """
    n = len(cosine)
    quanta = np.empty((n, n), np.int16)
    for i in range(n):
        quanta[i, i] = QUANTUM
        for j in range(i):
            value = np.exp((min(np.float64(cosine[i, j]), 1.0) - 1.0) / (sigma * sigma))
            quanta[i, j] = quanta[j, i] = np.int16(np.rint(value * QUANTUM))
    return quanta


@compiled()
def herd(kernel, count):
    """Return the first picks of greedy MMD, and the gain of each in quanta of the kernel; ties go to the smaller row.

    After t picks, the biased squared MMD of all n rows X and the picks with j is, apart from terms without j,
    ``(2 c_j + K_jj) / (t+1)^2 - 2 r_j / (n (t+1))`` with r_j the sum of K over X and c_j that over the picks. As K_jj
    is the same for all, the best j has the largest ``(t+1) r_j - n c_j``: whole numbers, which have no rounding. Both
    sums are updated with each pick: O(n n + n count).
    """
    n = len(kernel)
    mean = np.zeros(n, np.int64)
    near = np.zeros(n, np.int64)
    left = np.ones(n, np.bool_)
    for i in range(n):
        for j in range(n):
            mean[i] += kernel[i, j]
    picks = np.empty(count, np.int64)
    gains = np.empty(count, np.float64)
    for t in range(count):
        best = -1
        most = np.int64(0)
        for j in range(n):
            if left[j]:
                gain = (t + 1) * mean[j] - n * near[j]
                if best < 0 or gain > most:
                    best = j
                    most = gain
        picks[t] = best
        gains[t] = most / (n * (t + 1.0))
        left[best] = False
        for j in range(n):
            near[j] += kernel[best, j]
    return picks, gains


@compiled()
def pass_by(order, nearest, similarity, least, cell, quota, image, images, most):
    """Keep rows in order that are less similar than `least` to all rows kept before, under quotas.

    `nearest` has the best similarity of each of the m rows to rows kept in earlier calls, and is updated in place with
    those kept here; `similarity` are the similarities among the m rows, (m, m). Quotas and images are updated in place.
    Returns (m,) int8: 1 kept, 0 too similar, -1 cell or image full.
    """
    state = np.empty(len(order), np.int8)
    kept = np.empty(len(order), np.int64)
    count = 0
    for i in range(len(order)):
        row = order[i]
        state[i] = -1
        if quota[cell[row]] <= 0 or images[image[row]] >= most:
            continue
        for t in range(count):
            nearest[i] = max(nearest[i], similarity[i, kept[t]])
        state[i] = 0
        if nearest[i] < least:
            state[i] = 1
            kept[count] = i
            count += 1
            quota[cell[row]] -= 1
            images[image[row]] += 1
    return state
