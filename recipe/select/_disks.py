"""Which samples of a block no small disk around a centre holds: the outliers of k-center."""

# ruff: noqa: ANN001, ANN202  numba infers the types
# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np
from numba import njit

from recipe.select._kernels import QUANTUM

TRIPLE = 9  # quanta of 1 - cos are squares of distances: three times as far is nine times as many


@njit(cache=True, nogil=True)
def _uncovered(similarity, count, near):
    """Cover by greedy disks: the one that holds most of what is left, and all within three times its radius goes.

    Returns (n,) bool: what `count` disks leave. O(n^2).
    """
    n = len(similarity)
    left = np.ones(n, np.bool_)
    holds = np.zeros(n, np.int64)
    for i in range(n):
        for j in range(n):
            holds[i] += similarity[i, j] >= QUANTUM - near
    for _ in range(min(count, n)):
        at = np.argmax(holds)
        if holds[at] == 0:
            break
        for i in range(n):
            if left[i] and similarity[at, i] >= QUANTUM - TRIPLE * near:
                left[i] = False
                for j in range(n):
                    holds[j] -= similarity[i, j] >= QUANTUM - near
    return left


@njit(cache=True, nogil=True)
def outside(similarity, count, most):
    """Return (n,) bool: at most `most` samples that `count` disks of the least radius found leave uncovered.

    From (n, n) symmetric int16 quanta. The radius is halved in on; O(n^2) for each of 15 steps. Charikar et al. 2001.
    """
    low, high = -1, QUANTUM
    while high - low > 1:
        middle = (low + high) // 2
        if _uncovered(similarity, count, middle).sum() <= most:
            high = middle
        else:
            low = middle
    return _uncovered(similarity, count, high)
