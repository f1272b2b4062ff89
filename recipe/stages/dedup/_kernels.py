"""The compiled kernels that compare sets of words pair by pair; numba infers the types."""

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled


@compiled()
def sorted_sets(words, starts, ends):
    """Return the distinct hashes of each sample, sorted, at the start of its range, and their number."""
    sets = words.copy()
    sizes = np.zeros(len(starts), np.int64)
    for i in range(len(starts)):
        mine = sets[starts[i] : ends[i]]
        mine.sort()
        size = 0
        for t in range(len(mine)):
            if t == 0 or mine[t] != mine[size - 1]:
                mine[size] = mine[t]
                size += 1
        sizes[i] = size
    return sets, sizes


@compiled()
def _similarity(one, two, least):
    """Return the Jaccard similarity of two sorted sets, or 0 once it must be below `least`; 1 for two empty sets."""
    if len(one) == 0 and len(two) == 0:
        return 1.0
    need = least / (1 + least) * (len(one) + len(two)) - 1e-6  # words to share
    shared = i = j = 0
    while i < len(one) and j < len(two):
        if shared + min(len(one) - i, len(two) - j) < need:
            return 0.0
        if one[i] == two[j]:
            shared += 1
            i += 1
            j += 1
        elif one[i] < two[j]:
            i += 1
        else:
            j += 1
    return shared / (len(one) + len(two) - shared)


@compiled()
def first_keepers(sets, starts, sizes, image, threshold, least_words):
    """Return for each sample the first similar enough keeper of its image, else the sample itself.

    Samples of an image are adjacent, in the order in which they are compared.
    """
    keeper = np.arange(len(starts))
    begin = 0
    for late in range(len(starts)):
        if image[late] != image[begin]:
            begin = late
        if sizes[late] < least_words:
            continue
        mine = sets[starts[late] : starts[late] + sizes[late]]
        for early in range(begin, late):
            small, large = min(sizes[early], sizes[late]), max(sizes[early], sizes[late])
            if keeper[early] != early or small < least_words or small < threshold * large - 1e-6:
                continue
            if _similarity(sets[starts[early] : starts[early] + sizes[early]], mine, threshold) >= threshold:
                keeper[late] = early
                break
    return keeper
