"""The compiled kernels of exclusion: words of many texts, runs of them, and bags of them. numba infers the types.

They stand in one file because numba's cache on disk notices a change of its own file only.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from recipe.data.alphabet import ALONE

ASCII, TWO, THREE = np.uint32(0x80), np.uint32(0xE0), np.uint32(0xF0)
BASIS, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # of FNV-1a, 64 bits
BASE = np.uint64(0x9E3779B97F4A7C15)  # of the polynomial of a run; odd, so that no word of it is lost
SLACK = 1e-9  # what float64 may lose of a cosine


@njit(cache=True, nogil=True)
def _character(text, at, alphabet):
    """Return what the alphabet says of the character that begins at a byte of valid UTF-8, and where the next begins.

    A character beyond the basic plane stands by itself, and its code is not cut.
    """
    a = np.uint32(text[at])
    if a < ASCII:
        entry = alphabet[a]
        return entry >> np.uint32(16), entry & np.uint32(0xFFFF), at + 1
    b = np.uint32(text[at + 1] & 0x3F)
    if a < TWO:
        code, after = (a & np.uint32(0x1F)) << np.uint32(6) | b, at + 2
    elif a < THREE:
        code, after = (
            (a & np.uint32(0x0F)) << np.uint32(12) | b << np.uint32(6) | np.uint32(text[at + 2] & 0x3F),
            at + 3,
        )
    else:
        c, d = np.uint32(text[at + 2] & 0x3F), np.uint32(text[at + 3] & 0x3F)
        code = (a & np.uint32(0x07)) << np.uint32(18) | b << np.uint32(12) | c << np.uint32(6) | d
        return np.uint32(ALONE), code, at + 4
    entry = alphabet[code]
    return entry >> np.uint32(16), entry & np.uint32(0xFFFF), after


@njit(cache=True, nogil=True)
def _mixed(h):
    """Spread a hash over all of its bits, so that any part of it is uniform."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@njit(cache=True, nogil=True)
def split_words(text, ends, alphabet, hashes, begins, stops, starts):
    """Write hash, first byte and last byte of each word, and at which word each text starts; return their number."""
    count = 0
    for i in range(len(ends) - 1):
        starts[i] = count
        at, end = ends[i], ends[i + 1]
        begin = np.int64(-1)
        h = BASIS
        while at < end:
            kind, lower, after = _character(text, at, alphabet)
            if 0 < kind < ALONE:
                if begin < 0:
                    begin = at
                h = (h ^ np.uint64(lower)) * PRIME
            else:
                if begin >= 0:
                    hashes[count], begins[count], stops[count] = _mixed(h), begin, at
                    count += 1
                    begin = np.int64(-1)
                    h = BASIS
                if kind == ALONE:
                    hashes[count], begins[count], stops[count] = _mixed((BASIS ^ np.uint64(lower)) * PRIME), at, after
                    count += 1
            at = after
        if begin >= 0:
            hashes[count], begins[count], stops[count] = _mixed(h), begin, end
            count += 1
    starts[len(ends) - 1] = count
    return count


@njit(cache=True, nogil=True)
def _same_words(one, begins, stops, i, two, others, ends, j, n, alphabet):
    """Tell whether n words of one text are n words of another, letter by letter in lower case."""
    for t in range(n):
        at, other = np.int64(begins[i + t]), np.int64(others[j + t])
        end, last = np.int64(stops[i + t]), np.int64(ends[j + t])
        while at < end and other < last:
            _, a, at = _character(one, at, alphabet)
            _, b, other = _character(two, other, alphabet)
            if a != b:
                return False
        if at < end or other < last:
            return False
    return True


@njit(cache=True, nogil=True)
def _first_run(hashes, start, n):
    """Return the hash of the first run of a text, and what its first word is multiplied by in it."""
    h, power = np.uint64(0), np.uint64(1)
    for t in range(n):
        h = h * BASE + hashes[start + t]
        if t:
            power *= BASE
    return h, power


@njit(cache=True, nogil=True)
def table_of_runs(text, hashes, begins, stops, starts, alphabet, n, slots, run, where, owner):
    """Fill a hash table of `slots` (a power of two) with the runs of n words of each text, each with its first text."""
    mask = np.uint64(slots - 1)
    for i in range(len(starts) - 1):
        start, stop = starts[i], starts[i + 1]
        if stop - start < n:
            continue
        h, power = _first_run(hashes, start, n)
        for at in range(start, stop - n + 1):
            slot = _mixed(h) & mask
            while where[slot] >= 0:
                if run[slot] == h and _same_words(
                    text, begins, stops, at, text, begins, stops, where[slot], n, alphabet
                ):
                    break
                slot = (slot + np.uint64(1)) & mask
            if where[slot] < 0:
                run[slot], where[slot], owner[slot] = h, at, i
            if at + n < stop:
                h = (h - hashes[at] * power) * BASE + hashes[at + n]


@njit(cache=True, nogil=True)
def find_runs(text, hashes, begins, stops, starts, known, others, ends, alphabet, n, run, where, owner, found):
    """Write for each text the first of the known texts with which it shares a run of n words; others are left."""
    mask = np.uint64(len(run) - 1)
    for i in range(len(starts) - 1):
        start, stop = starts[i], starts[i + 1]
        if stop - start < n:
            continue
        h, power = _first_run(hashes, start, n)
        for at in range(start, stop - n + 1):
            slot = _mixed(h) & mask
            while where[slot] >= 0:
                better = found[i] < 0 or owner[slot] < found[i]
                if (
                    better
                    and run[slot] == h
                    and _same_words(text, begins, stops, at, known, others, ends, where[slot], n, alphabet)
                ):
                    found[i] = owner[slot]
                slot = (slot + np.uint64(1)) & mask
            if at + n < stop:
                h = (h - hashes[at] * power) * BASE + hashes[at + n]


@njit(cache=True, nogil=True)
def bags_of(hashes, starts, begins, words, times):
    """Write the distinct words of each text, ascending, and how often each stands in it; return their number."""
    count = 0
    for i in range(len(starts) - 1):
        begins[i] = count
        mine = np.sort(hashes[starts[i] : starts[i + 1]])
        for t in range(len(mine)):
            if t and mine[t] == mine[t - 1]:
                times[count - 1] += 1
            else:
                words[count], times[count] = mine[t], 1
                count += 1
    begins[len(starts) - 1] = count
    return count


@njit(cache=True, nogil=True)
def _dot(one, weights, two, others):
    """Return the inner product of two sparse vectors whose columns ascend."""
    dot, a, b = 0.0, 0, 0
    while a < len(one) and b < len(two):
        if one[a] == two[b]:
            dot += weights[a] * others[b]
            a += 1
            b += 1
        elif one[a] < two[b]:
            a += 1
        else:
            b += 1
    return dot


@njit(cache=True, nogil=True)
def similar_bags(begins, words, times, vocabulary, idf, unknown, lists, listed, bounds, columns, weights, least):
    """Return pairs of a text and a known bag whose cosine is at least `least`, ascending by text.

    `words` are hashes, `vocabulary` the known ones, ascending; `lists` and `listed` say under which words each known
    bag is filed, `bounds`, `columns` and `weights` what is in it, with length one. Words that no bag has weigh
    `unknown`.
    """
    texts, bags = np.empty(1024, np.int64), np.empty(1024, np.int64)
    count = 0
    seen = np.full(len(bounds) - 1, -1, np.int64)
    for i in range(len(begins) - 1):
        size = begins[i + 1] - begins[i]
        ids, mine = np.empty(size, np.int64), np.empty(size, np.float64)
        met, total, inside = 0, 0.0, 0.0
        for t in range(begins[i], begins[i + 1]):
            weight = 1 + np.log(np.float64(times[t]))
            at = np.searchsorted(vocabulary, words[t])
            if at < len(vocabulary) and vocabulary[at] == words[t]:
                ids[met], mine[met] = at, weight * idf[at]
                inside += mine[met] ** 2
                total += mine[met] ** 2
                met += 1
            else:
                total += (weight * unknown) ** 2
        if met == 0 or inside < (least**2 - SLACK) * total:
            continue
        length = np.sqrt(total)
        for k in range(met):
            for p in range(lists[ids[k]], lists[ids[k] + 1]):
                bag = listed[p]
                if seen[bag] == i:
                    continue
                seen[bag] = i
                span = slice(bounds[bag], bounds[bag + 1])
                if _dot(ids[:met], mine, columns[span], weights[span]) < (least - SLACK) * length:
                    continue
                if count == len(texts):
                    texts = np.concatenate((texts, np.empty(count, np.int64)))
                    bags = np.concatenate((bags, np.empty(count, np.int64)))
                texts[count], bags[count] = i, bag
                count += 1
    return texts[:count], bags[:count]
