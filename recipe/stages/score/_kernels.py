"""The compiled kernel of novelty; numba infers the types."""

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled


@compiled()
def mean_of_largest(similarity, k):
    """Return the mean of the k largest values of each row except the diagonal, from (m, m) float32 to (m,) float64.

    The k largest values so far of a row are kept in descending order; few values are larger than the smallest of them,
    so one comparison is usually enough. They are summed in float64, the largest first, so the mean does not depend on
    the order of the columns. k is from 1 to m - 1. O(m m) comparisons and about m k log(m) moves.
    """
    m = len(similarity)
    means = np.empty(m, np.float64)
    largest = np.empty(k, np.float32)
    for i in range(m):
        largest[:] = -np.inf
        for j in range(m):
            value = similarity[i, j]
            if value > largest[k - 1] and j != i:
                at = k - 1
                while at > 0 and largest[at - 1] < value:
                    largest[at] = largest[at - 1]
                    at -= 1
                largest[at] = value
        total = 0.0
        for t in range(k):
            total += np.float64(largest[t])
        means[i] = total / k
    return means
