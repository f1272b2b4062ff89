"""The compiled kernels: nearest questions, and an n-gram model in one hash table. numba infers the types.

A row of the table is a context or an n-gram: its 64-bit hash, and its counts. Among ten million hashes two are equal
less than once in a hundred thousand tables. A context counts the bytes seen after it (low half) and how many of them
were different (high half); an n-gram counts how often it was seen.
"""

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled

BYTES = 6  # of text in the longest context
LEVELS = BYTES + 4  # contexts of 0..BYTES bytes, then also the question's last line, its first words, and all of it
START = np.uint64(0xFE)  # padding before a text; no byte of UTF-8
END = np.uint8(0xFF)  # marks the end of a text; no byte of UTF-8
SPACE, LINE = 32, 10
BASIS, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # of FNV-1a, 64 bits
LOW = np.uint64(0xFFFFFFFF)
HIGH = np.uint64(32)
ONE = np.uint64(1)


@compiled()
def nearest(query_start, query_words, query_weights, column_start, holders, weights, count, queries):
    """Return for each query the position of the most similar candidate; the smaller position wins a tie.

    Questions are sparse rows (start, words, weights); candidates, `count` of them, are sparse columns (start, holders,
    weights). A sum is over the words in the order of the question.
    """
    found = np.zeros(len(queries), np.int64)
    similarity = np.zeros(count, np.float32)
    for i in range(len(queries)):
        similarity[:] = 0
        for t in range(query_start[queries[i]], query_start[queries[i] + 1]):
            weight = query_weights[t]
            for s in range(column_start[query_words[t]], column_start[query_words[t] + 1]):
                similarity[holders[s]] += weight * weights[s]
        best = np.float32(-1)
        for candidate in range(count):
            if similarity[candidate] > best:
                best = similarity[candidate]
                found[i] = candidate
    return found


@compiled()
def _mixed(h):
    """Mix the bits of a hash, one to one. 0 means an empty row of the table, so it is replaced by 1."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    return h or ONE


@compiled()
def hints_of(text, ends):
    """Return (pairs, 3) hashes of each question: its last line if it has several, its first two words, all of it."""
    pairs = (len(ends) - 1) // 2
    hints = np.zeros((pairs, 3), np.uint64)
    for p in range(pairs):
        line, words, whole = BASIS, BASIS, BASIS
        lines, spaces = 0, 0
        for at in range(ends[2 * p], ends[2 * p + 1]):
            byte = text[at]
            whole = (whole ^ np.uint64(byte)) * PRIME
            if byte == LINE:
                lines += 1
                line = BASIS
            else:
                line = (line ^ np.uint64(byte)) * PRIME
            spaces += byte in (SPACE, LINE)
            if spaces < 2:  # noqa: PLR2004  two words end at the second space
                words = (words ^ np.uint64(byte)) * PRIME
        hints[p, 0] = line if lines else BASIS
        hints[p, 1] = words
        hints[p, 2] = whole
    return hints


@compiled()
def _contexts(past, hint, keys):
    """Write the hashes of the contexts of a position, from the shortest; each is contained in the next."""
    for level in range(BYTES + 1):
        seen = past & ((ONE << np.uint64(8 * level)) - ONE)
        keys[level] = _mixed(seen | np.uint64(level + 1) << np.uint64(56))
    for extra in range(len(hint)):
        keys[BYTES + 1 + extra] = _mixed(keys[BYTES + extra] * PRIME ^ hint[extra])


@compiled()
def _row(table, key):
    """Return the row of the table that has a hash, or the empty row where it would be put."""
    mask = np.uint64(len(table) - 1)
    at = key & mask
    while table[at, 0] != key and table[at, 0] != 0:
        at = (at + ONE) & mask
    return at


@compiled()
def _gram(key, byte):
    """Return the hash of a context and the byte after it."""
    return _mixed(key * PRIME + np.uint64(byte) + ONE)


@compiled()
def _grown(table):
    """Return a table twice as large with the same rows."""
    larger = np.zeros((2 * len(table), 2), np.uint64)
    for at in range(len(table)):
        if table[at, 0]:
            larger[_row(larger, table[at, 0])] = table[at]
    return larger


@compiled()
def _count(table, keys, byte, rare):
    """Count a byte in its longest context, and in each shorter one if it is new in the longer; return new rows."""
    added = 0
    for level in range(len(keys) - 1, -1, -1):
        row = _row(table, keys[level])
        added += table[row, 0] == 0
        table[row, 0] = keys[level]
        table[row, 1] += ONE
        gram = _gram(keys[level], byte)
        at = _row(table, gram)
        times = table[at, 1]
        if times < 2:  # noqa: PLR2004  how many were seen once, and how many twice
            rare[level, times] += 1
        if 0 < times <= 2:  # noqa: PLR2004
            rare[level, times - ONE] -= 1
        table[at, 0] = gram
        table[at, 1] += ONE
        if times:
            break
        added += 1
        table[row, 1] += ONE << HIGH
    return added


@compiled()
def count_answers(text, ends, hints, pairs, limit):
    """Count the answers of some pairs; return the table, and how many n-grams of each length occur once and twice.

    Of the last pair, the text from position `limit` on is not read.
    """
    table = np.zeros((1 << 16, 2), np.uint64)
    rare = np.zeros((LEVELS, 2), np.int64)
    keys = np.zeros(LEVELS, np.uint64)
    rows = 0
    for i in range(len(pairs)):
        begin, end = ends[2 * pairs[i] + 1], ends[2 * pairs[i] + 2]
        cut = i == len(pairs) - 1 and limit <= end
        past = _before()
        for at in range(begin, limit if cut else end + 1):
            byte = text[at] if at < end else END
            if 2 * (rows + 2 * LEVELS) > len(table):
                table = _grown(table)
            _contexts(past, hints[pairs[i]], keys)
            rows += _count(table, keys, byte, rare)
            past = past << np.uint64(8) | np.uint64(byte)
    return table, rare


@compiled()
def _before():
    """Return the padding before a text."""
    past = np.uint64(0)
    for _ in range(BYTES):
        past = past << np.uint64(8) | START
    return past


@compiled()
def probability_of(table, discounts, keys, byte):
    """Return the probability of a byte after a context."""
    probability = 1.0 / 256
    for level in range(len(keys)):
        row = _row(table, keys[level])
        if table[row, 0] == 0:
            break  # then no longer context was seen
        seen = np.float64(table[row, 1] & LOW)
        kinds = np.float64(table[row, 1] >> HIGH)
        times = np.float64(table[_row(table, _gram(keys[level], byte)), 1])
        kept = max(times - discounts[level], 0.0)
        probability = (kept + discounts[level] * kinds * probability) / seen
    return probability


@compiled()
def bits_of(text, ends, hints, pairs, table, discounts):
    """Return the bits of each of some answers, with those of its end, (pairs,)."""
    bits = np.zeros(len(pairs), np.float64)
    keys = np.zeros(LEVELS, np.uint64)
    for i in range(len(pairs)):
        end = ends[2 * pairs[i] + 2]
        past = _before()
        for at in range(ends[2 * pairs[i] + 1], end + 1):
            byte = text[at] if at < end else END
            _contexts(past, hints[pairs[i]], keys)
            bits[i] -= np.log2(probability_of(table, discounts, keys, byte))
            past = past << np.uint64(8) | np.uint64(byte)
    return bits
