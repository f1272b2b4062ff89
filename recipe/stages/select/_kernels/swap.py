"""The compiled kernel of a round of swaps."""

# ruff: noqa: PLR0912  numba infers the types, and takes arrays and loops
# mypy: disallow-untyped-defs=False, disallow-untyped-decorators=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled


@compiled()
def _nearest_two(i, quanta, picks, nearest, second):
    """Find the two nearest picks of a point, by number; ties go to the smaller. -1 if there is no second."""
    first = other = -1
    for p in range(len(picks)):
        q = quanta[picks[p], i]
        if first < 0 or q > quanta[picks[first], i]:
            other = first
            first = p
        elif other < 0 or q > quanta[picks[other], i]:
            other = p
    nearest[i] = first
    second[i] = other


@compiled()
def _shares(concept, candidate, start, concepts):
    """Return whether a candidate has a concept."""
    found = False
    for t in range(start[candidate], start[candidate + 1]):
        found |= concepts[t] == concept
    return found


@compiled()
def _concept_swap(new, old, start, concepts, worth, seen):
    """Return by how much the concept term grows when one candidate replaces another."""
    gain = np.int64(0)
    for t in range(start[new], start[new + 1]):
        u = concepts[t]
        if not _shares(u, old, start, concepts):
            gain += np.int64(worth[u] / (np.sqrt(seen[u] + 1.0) + np.sqrt(np.float64(seen[u]))))
    for t in range(start[old], start[old + 1]):
        u = concepts[t]
        if not _shares(u, new, start, concepts):
            gain -= np.int64(worth[u] / (np.sqrt(np.float64(seen[u])) + np.sqrt(seen[u] - 1.0)))
    return gain


@compiled()
def swap_once(quanta, picks, bonus, start, concepts, worth, seen, cell, image, room):
    """Try each point instead of each pick of its cell, from (v, v) quanta; updates `picks`, `seen` and `room` in place.

    For all picks at once, as in FastPAM: a new pick gets the points that are nearer to it than to their nearest pick,
    and those points of the replaced pick that are nearer to it than to their second. O(v^2 + v k) without swaps.
    """
    v = len(quanta)
    nearest = np.empty(v, np.int64)
    second = np.empty(v, np.int64)
    best = np.empty(v, np.int32)
    other = np.empty(v, np.int32)
    picked = np.zeros(v, np.bool_)
    for p in picks:
        picked[p] = True
    loss = np.zeros(len(picks), np.int64)
    for i in range(v):
        _nearest_two(i, quanta, picks, nearest, second)
        best[i] = quanta[picks[nearest[i]], i]
        other[i] = quanta[picks[second[i]], i] if second[i] >= 0 else 0
        loss[nearest[i]] += best[i] - other[i]
    saved = np.empty(len(picks), np.int64)
    for new in range(v):
        if picked[new]:
            continue
        saved[:] = 0
        gain = np.int64(bonus[new])
        for i in range(v):
            q = np.int32(quanta[new, i])
            if q > other[i]:
                saved[nearest[i]] += min(q, best[i]) - other[i]
                gain += max(q - best[i], np.int32(0))
        most = np.int64(0)
        out = -1
        for p in range(len(picks)):
            old = picks[p]
            if cell[old] != cell[new] or (room[image[new]] <= 0 and image[new] != image[old]):
                continue
            total = gain + saved[p] - loss[p] - bonus[old]
            if len(worth) > 0:
                total += _concept_swap(new, old, start, concepts, worth, seen)
            if total > most:
                most = total
                out = p
        if out < 0:
            continue
        old = picks[out]
        for t in range(start[old], start[old + 1]):
            seen[concepts[t]] -= 1
        for t in range(start[new], start[new + 1]):
            seen[concepts[t]] += 1
        room[image[old]] += 1
        room[image[new]] -= 1
        picked[old] = False
        picked[new] = True
        picks[out] = new
        for i in range(v):
            if nearest[i] == out or second[i] == out or quanta[new, i] > other[i]:
                loss[nearest[i]] -= best[i] - other[i]
                _nearest_two(i, quanta, picks, nearest, second)
                best[i] = quanta[picks[nearest[i]], i]
                other[i] = quanta[picks[second[i]], i] if second[i] >= 0 else 0
                loss[nearest[i]] += best[i] - other[i]
    return nearest, best.astype(np.int16)
