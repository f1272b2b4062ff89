"""The compiled kernels: words of many texts as hashed columns, straight from their bytes. numba infers the types.

They stand in one file because numba's cache on disk notices a change of its own file only.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from recipe.data.alphabet import ALONE, LETTER, PLANE

ASCII, TWO, THREE, LAST = np.uint32(0x80), np.uint32(0xE0), np.uint32(0xF0), np.uint32(PLANE - 1)
BASIS, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # of FNV-1a, 64 bits
FEW = 64  # words that are sorted as they come in


@njit(cache=True, nogil=True)
def hash_words(text, begin, end, alphabet, hashes):
    """Write the hash of each word of a text, in the order in which they stand, and return how many there are."""
    count = 0
    letters = 0
    first = np.uint32(0)
    h = BASIS
    while begin < end:
        code = np.uint32(text[begin])
        if code < ASCII:
            entry = alphabet[code]
            begin += 1
        else:
            code, begin = _decoded(text, begin)
            entry = alphabet[min(code, LAST)]
        kind = entry >> np.uint32(16)
        if 0 < kind < ALONE:
            if letters == 0:
                first = kind
            letters += 1
            h = (h ^ np.uint64(entry & np.uint32(0xFFFF))) * PRIME
            continue
        if letters > 1 and first == LETTER:
            hashes[count] = _mixed(h)
            count += 1
        letters = 0
        h = BASIS
        if kind == ALONE:
            hashes[count] = _mixed((BASIS ^ np.uint64(code)) * PRIME)
            count += 1
    if letters > 1 and first == LETTER:
        hashes[count] = _mixed(h)
        count += 1
    return count


@njit(cache=True, nogil=True)
def _decoded(text, at):
    """Return the character of two to four bytes that begins at a byte of valid UTF-8, and where the next begins."""
    a, b = np.uint32(text[at]), np.uint32(text[at + 1] & 0x3F)
    if a < TWO:
        return (a & np.uint32(0x1F)) << np.uint32(6) | b, at + 2
    c = np.uint32(text[at + 2] & 0x3F)
    if a < THREE:
        return (a & np.uint32(0x0F)) << np.uint32(12) | b << np.uint32(6) | c, at + 3
    d = np.uint32(text[at + 3] & 0x3F)
    return (a & np.uint32(0x07)) << np.uint32(18) | b << np.uint32(12) | c << np.uint32(6) | d, at + 4


@njit(cache=True, nogil=True)
def _mixed(h):
    """Spread a hash over all of its bits, so that any remainder of it is uniform."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@njit(cache=True, nogil=True)
def columns_of(text, begin, end, alphabet, features, hashes, columns, counts):
    """Write the distinct columns of a text, ascending, and how often each stands in it; return how many there are."""
    words = hash_words(text, begin, end, alphabet, hashes)
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


@njit(cache=True, nogil=True)
def count_texts(text, ends, alphabet, features):
    """Return in how many texts each column stands, (features,)."""
    found = np.zeros(features, np.int64)
    hashes, columns, counts = _scratch(ends)
    for i in range(len(ends) - 1):
        for t in range(columns_of(text, ends[i], ends[i + 1], alphabet, features, hashes, columns, counts)):
            found[columns[t]] += 1
    return found


@njit(cache=True, nogil=True)
def add_up(text, ends, alphabet, lengths, table, sums):
    """Add to each row of `sums` the rows of a table that belong to the words of its text, weighted.

    A word that stands c times counts 1 + ln c. Where `lengths` (features,) is not empty, a sum is divided by the length
    of the text whose coordinates are these counts times `lengths`. Rows are added one by one, by ascending column, so
    the bits of a sum depend on its text alone.
    """
    hashes, columns, counts = _scratch(ends)
    for i in range(len(ends) - 1):
        distinct = columns_of(text, ends[i], ends[i + 1], alphabet, len(table), hashes, columns, counts)
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


@njit(cache=True, nogil=True)
def _scratch(ends):
    """Return room for the words of the longest text."""
    most = 1
    for i in range(len(ends) - 1):
        most = max(most, ends[i + 1] - ends[i])
    return np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.int64)


@njit(cache=True, nogil=True)
def only_columns(text, ends, alphabet, features):
    """Return the column of each text that is one word, -1 for the others."""
    hashes, _, _ = _scratch(ends)
    columns = np.full(len(ends) - 1, -1, np.int64)
    for i in range(len(ends) - 1):
        if hash_words(text, ends[i], ends[i + 1], alphabet, hashes) == 1:
            columns[i] = np.int64(hashes[0] % np.uint64(features))
    return columns


@njit(cache=True, nogil=True)
def count_words(text, ends, alphabet, features):
    """Return where the distinct columns of each text begin, (m + 1,), these columns, and how often each stands."""
    begins = np.zeros(len(ends), np.int64)
    hashes, columns, counts = _scratch(ends)
    for i in range(len(ends) - 1):
        begins[i + 1] = begins[i] + columns_of(text, ends[i], ends[i + 1], alphabet, features, hashes, columns, counts)
    found = np.empty(begins[-1], np.int64)
    times = np.empty(begins[-1], np.int64)
    for i in range(len(ends) - 1):
        distinct = columns_of(text, ends[i], ends[i + 1], alphabet, features, hashes, columns, counts)
        found[begins[i] : begins[i + 1]] = columns[:distinct]
        times[begins[i] : begins[i + 1]] = counts[:distinct]
    return begins, found, times
