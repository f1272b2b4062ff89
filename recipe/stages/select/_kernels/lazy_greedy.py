"""The compiled kernels: lazy greedy under quotas, and the gains that it compares.

All values are whole quanta: a similarity is an int16 (`QUANTUM` is 1.0), a gain an int64. Integer sums have no rounding
and do not depend on their order, so lazy greedy equals naive greedy pick by pick, for any number of threads. numba
infers the types.
"""

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled

QUANTUM = 1 << 14  # quanta in a similarity of 1.0; leaves one spare bit of int16


@compiled(inline="always")
def _quantum(similarity):
    """Round a float32 similarity to quanta, below 0 to 0. All in float32, so that it is vectorised."""
    inside = min(max(similarity, np.float32(0)), np.float32(1))
    return np.int16(np.int32(inside * np.float32(QUANTUM) + np.float32(0.5)))


@compiled(fastmath={"nnan"})
def quantise(similarities):
    """Convert (m, n) float32 similarities to int16 quanta; values below 0 become 0."""
    rows, columns = similarities.shape
    quanta = np.empty((rows, columns), np.int16)
    for i in range(rows):
        for j in range(columns):
            quanta[i, j] = _quantum(similarities[i, j])
    return quanta


@compiled()
def coverage_gain(candidate, start, points, quanta, dense, best):
    """Return by how much a candidate would raise the summed best similarity of the points it reaches."""
    gain = np.int64(0)
    if dense:
        row = quanta[start[candidate] : start[candidate + 1]]
        for i in range(len(row)):
            gain += max(np.int32(row[i]) - np.int32(best[i]), np.int32(0))
    else:
        for t in range(start[candidate], start[candidate + 1]):
            gain += max(np.int32(quanta[t]) - np.int32(best[points[t]]), np.int32(0))
    return gain


@compiled()
def concept_gain(candidate, concept_start, concepts, worth, seen):
    """Return the gain of one more sample of each of its concepts: a square root grows by 1/(sqrt(c+1)+sqrt(c))."""
    gain = np.int64(0)
    for t in range(concept_start[candidate], concept_start[candidate + 1]):
        c = concepts[t]
        gain += np.int64(worth[c] / (np.sqrt(seen[c] + 1.0) + np.sqrt(np.float64(seen[c]))))
    return gain


@compiled()
def _before(a, b, gain):
    """Order of the heap: larger bound first; ties go to the smaller candidate."""
    return gain[a] > gain[b] or (gain[a] == gain[b] and a < b)


@compiled()
def sift_down(heap, size, at, gain):
    """Restore the heap below a position whose bound has fallen."""
    item = heap[at]
    child = 2 * at + 1
    while child < size:
        if child + 1 < size and _before(heap[child + 1], heap[child], gain):
            child += 1
        if not _before(heap[child], item, gain):
            break
        heap[at] = heap[child]
        at = child
        child = 2 * at + 1
    heap[at] = item


@compiled()
def heap_of(bound):
    """Return all candidates as a heap, the largest bound on top."""
    heap = np.arange(len(bound))
    for at in range(len(heap) // 2 - 1, -1, -1):
        sift_down(heap, len(heap), at, bound)
    return heap


@compiled()
def drop_top(heap, size, bound):
    """Remove the top of a heap, and return its new size."""
    size -= 1
    heap[0] = heap[size]
    sift_down(heap, size, 0, bound)
    return size


@compiled()
def lazy_greedy(
    start,  # (m+1,) int64: where the similarities of each candidate begin in `quanta`
    points,  # int32: the point of each similarity; unused if dense
    quanta,  # int16 similarities, candidate by candidate
    dense,  # bool: every candidate has a similarity to every point, in order
    best,  # (n,) int16: best similarity so far; updated in place
    bonus,  # (m,) int64: modular term
    concept_start,  # (m+1,) int64
    concepts,  # int32 concepts, candidate by candidate
    worth,  # (u,) float64: weight of the square root of each concept's count
    seen,  # (u,) int64: how often each concept was picked; updated in place
    cell,  # (m,) int32: quota cell of each candidate
    quota,  # (q,) int64: what is left of each cell's quota; updated in place
    image,  # (m,) int32: image of each candidate
    room,  # (images,) int64: what is left of each image's limit; updated in place
    most,  # int: stop after so many picks
    price=None,  # (m,) float64 above 0: gains are compared after division by it; None for 1
):
    """Return picked candidates in pick order and their gains, (k,) int64 and (k, 3) int64: coverage, concepts, bonus.

    Lazy greedy (Minoux 1978): a candidate's gain only falls as more is picked, so the last gain computed for it is an
    upper bound, and only the candidate on top of a heap of bounds must be evaluated again; the same holds for gains
    divided by a price (Lin and Bilmes 2010). O(m s + e s + e log m) for s similarities per candidate and e evaluations;
    e is a few times the number of picks in practice, m times it at worst.
    """
    m = len(start) - 1
    bound = np.empty(m, np.float64)  # whole numbers below 2**53 where nothing has a price, so nothing is rounded
    covered = np.empty(m, np.int64)
    fresh = np.zeros(m, np.int64)  # number of picks at which the bound was computed
    for j in range(m):
        covered[j] = coverage_gain(j, start, points, quanta, dense, best)
        gain = covered[j] + concept_gain(j, concept_start, concepts, worth, seen) + bonus[j]
        bound[j] = gain if price is None else gain / price[j]
    heap = heap_of(bound)
    picks = np.empty(min(m, most), np.int64)
    gains = np.empty((min(m, most), 3), np.int64)
    count = 0
    size = m
    while size > 0 and count < most:
        j = heap[0]
        closed = quota[cell[j]] <= 0 or room[image[j]] <= 0
        if not closed and fresh[j] != count:
            covered[j] = coverage_gain(j, start, points, quanta, dense, best)
            gain = covered[j] + concept_gain(j, concept_start, concepts, worth, seen) + bonus[j]
            bound[j] = gain if price is None else gain / price[j]
            fresh[j] = count
            sift_down(heap, size, 0, bound)
            continue
        size = drop_top(heap, size, bound)
        if closed:
            continue
        picks[count] = j
        gains[count, 0] = covered[j]
        gains[count, 1] = concept_gain(j, concept_start, concepts, worth, seen)
        gains[count, 2] = bonus[j]
        for t in range(start[j], start[j + 1]):
            i = t - start[j] if dense else points[t]
            best[i] = max(best[i], quanta[t])
        for t in range(concept_start[j], concept_start[j + 1]):
            seen[concepts[t]] += 1
        quota[cell[j]] -= 1
        room[image[j]] -= 1
        count += 1
    return picks[:count], gains[:count]


@compiled()
def concept_gains(concept_start, concepts, worth, seen):
    """Return the gain of one more sample of the concepts of each candidate, (m,) int64."""
    gains = np.empty(len(concept_start) - 1, np.int64)
    for j in range(len(gains)):
        gains[j] = concept_gain(j, concept_start, concepts, worth, seen)
    return gains


@compiled()
def walk(order, cell, quota, image, images, most):
    """Take rows in order whose cell has quota left and whose image was taken fewer than `most` times."""
    found = np.empty(len(order), np.int64)
    count = 0
    for row in order:
        if cell[row] >= 0 and quota[cell[row]] > 0 and images[image[row]] < most:
            quota[cell[row]] -= 1
            images[image[row]] += 1
            found[count] = row
            count += 1
    return found[:count].copy()
