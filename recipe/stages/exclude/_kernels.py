"""The compiled kernels of exclusion: n-grams and bags of words. numba infers the types.

They are in one file because numba's cache on disk only notices changes of the file that a kernel is in.
"""

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled

BASE = np.uint64(0x9E3779B97F4A7C15)  # of the polynomial hash of a run; odd, so that every word of it counts
SLACK = 1e-9  # rounding error of a cosine in float64


@compiled()
def _same_words(one, begins, i, two, others, j, n):
    """Return whether n words of one text equal n words of another, byte by byte."""
    for t in range(n):
        begin, other = begins[i + t], others[j + t]
        size = begins[i + t + 1] - begin
        if others[j + t + 1] - other != size:
            return False
        for s in range(size):
            if one[begin + s] != two[other + s]:
                return False
    return True


@compiled()
def _runs_of(hashes, n):
    """Return the hash of each run of n words of a text; its low bits are as uniform as those of the words' hashes."""
    runs = np.zeros(max(len(hashes) - n + 1, 0), np.uint64)
    h, power = np.uint64(0), np.uint64(1)
    for t in range(len(hashes) if len(runs) else 0):
        if t >= n:
            h -= hashes[t - n] * power
        elif t:
            power *= BASE
        h = h * BASE + hashes[t]
        if t >= n - 1:
            runs[t - n + 1] = h
    return runs


@compiled()
def table_of_runs(hashes, starts, letters, begins, n, slots, run, where, owner):
    """Fill a hash table of `slots` (a power of two) with the runs of n words of all texts, each with its first text."""
    mask = np.uint64(slots - 1)
    for i in range(len(starts) - 1):
        for t, h in enumerate(_runs_of(hashes[starts[i] : starts[i + 1]], n)):
            at, slot = starts[i] + t, h & mask
            while where[slot] >= 0 and not (
                run[slot] == h and _same_words(letters, begins, at, letters, begins, where[slot], n)
            ):
                slot = (slot + np.uint64(1)) & mask
            if where[slot] < 0:
                run[slot], where[slot], owner[slot] = h, at, i


@compiled()
def find_runs(hashes, starts, letters, begins, known, others, n, run, where, owner, found):
    """Write for each text the first known text with which it shares a run of n words; other texts are unchanged."""
    mask = np.uint64(len(run) - 1)
    for i in range(len(starts) - 1):
        for t, h in enumerate(_runs_of(hashes[starts[i] : starts[i + 1]], n)):
            slot = h & mask
            while where[slot] >= 0:
                better = run[slot] == h and (found[i] < 0 or owner[slot] < found[i])
                if better and _same_words(letters, begins, starts[i] + t, known, others, where[slot], n):
                    found[i] = owner[slot]
                slot = (slot + np.uint64(1)) & mask


@compiled()
def bags_of(hashes, starts, begins, words, times):
    """Write the distinct words of each text, ascending, and how often each occurs in it; return their number."""
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


@compiled()
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


@compiled()
def similar_bags(begins, words, times, vocabulary, idf, unknown, lists, listed, bounds, columns, weights, least):
    """Return pairs of a text and a known bag whose cosine is at least `least`, ascending by text.

    `words` are hashes, `vocabulary` the known ones, ascending; `lists` and `listed` are the index from words to known
    bags; `bounds`, `columns` and `weights` are the contents of the bags, each of length one. Words that are in no bag
    have the weight `unknown`.
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
