"""The compiled kernels: hashed words of many texts as columns of a table. numba infers the types.

They are in one file because numba's cache on disk only notices changes of the file that a kernel is in.
"""

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled

FEW = 64  # words up to which insertion sort is used


@compiled()
def columns_of(hashes, features, columns, counts):
    """Write the distinct columns of a text, ascending, and how often each occurs in it; return their number."""
    words = len(hashes)
    for t in range(words):
        column = np.int64(hashes[t] % np.uint64(features))
        at = t
        while at > 0 and columns[at - 1] > column and words <= FEW:
            columns[at] = columns[at - 1]
            at -= 1
        columns[at] = column
    if words > FEW:
        columns[:words].sort()
    distinct = 0
    for t in range(words):
        if distinct and columns[distinct - 1] == columns[t]:
            counts[distinct - 1] += 1
        else:
            columns[distinct] = columns[t]
            counts[distinct] = 1
            distinct += 1
    return distinct


@compiled()
def count_texts(hashes, starts, found):
    """Add to each column the number of texts in which it occurs, (features,)."""
    columns, counts = _scratch(starts)
    for i in range(len(starts) - 1):
        for t in range(columns_of(hashes[starts[i] : starts[i + 1]], len(found), columns, counts)):
            found[columns[t]] += 1


@compiled()
def add_up(hashes, starts, lengths, table, sums):
    """Add to each row of `sums` the rows of a table that belong to the words of its text, weighted.

    A word that occurs c times counts 1 + ln c. If `lengths` (features,) is not empty, a sum is divided by the length of
    the text's vector, whose coordinates are these counts times `lengths`. Rows are added one by one, by ascending
    column, so a sum depends on its text alone, to the last bit.
    """
    columns, counts = _scratch(starts)
    for i in range(len(starts) - 1):
        distinct = columns_of(hashes[starts[i] : starts[i + 1]], len(table), columns, counts)
        total = np.float32(1)
        if len(lengths):
            squares = 0.0
            for t in range(distinct):
                squares += ((1 + np.log(np.float64(counts[t]))) * lengths[columns[t]]) ** 2
            total = np.float32(np.sqrt(squares))
        for t in range(distinct):
            weight = np.float32(1 + np.log(np.float64(counts[t]))) / total
            for j in range(sums.shape[1]):
                sums[i, j] += weight * table[columns[t], j]


@compiled()
def _scratch(starts):
    """Return work arrays for the words of the longest text."""
    most = 1
    for i in range(len(starts) - 1):
        most = max(most, starts[i + 1] - starts[i])
    return np.empty(most, np.int64), np.empty(most, np.int64)


@compiled()
def count_words(hashes, starts, features):
    """Return where the distinct columns of each text begin, (m + 1,), these columns, and how often each occurs."""
    begins = np.zeros(len(starts), np.int64)
    columns, counts = _scratch(starts)
    found = np.empty(len(hashes), np.int64)
    times = np.empty(len(hashes), np.int64)
    for i in range(len(starts) - 1):
        distinct = columns_of(hashes[starts[i] : starts[i + 1]], features, columns, counts)
        begin = begins[i]
        found[begin : begin + distinct] = columns[:distinct]
        times[begin : begin + distinct] = counts[:distinct]
        begins[i + 1] = begin + distinct
    return begins, found[: begins[-1]], times[: begins[-1]]
