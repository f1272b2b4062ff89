"""Tasks on groups of blocks: candidates, neighbours, gains. Each is self-contained and can run on any worker."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from recipe.data.vectors import opened, rows_of, stored
from recipe.engine import distributed, each, spread
from recipe.stages.select._kernels.lazy_greedy import lazy_greedy, quantise
from recipe.stages.select._kernels.sparse import gains_beyond, nearest_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from recipe.data.vectors import Stored, Vectors
    from recipe.stages.select._facility.terms import Terms

In = TypeVar("In")
Out = TypeVar("Out")

GROUP = 32  # blocks per task
UNLIMITED = np.iinfo(np.int64).max


class Similarities(NamedTuple):
    """Similarities of m candidates to n points, candidate by candidate; `points` is unused if `dense`."""

    start: NDArray[np.int64]
    points: NDArray[np.int32]
    quanta: NDArray[np.int16]
    dense: bool
    n: int


class Found(NamedTuple):
    """Picked candidates in pick order, their gains by term, best similarity of each point, picks of each concept.

    `best` is aligned with the points; outside of this file these are all places of the ground set.
    """

    picks: NDArray[np.int64]
    gains: NDArray[np.int64]
    best: NDArray[np.int16]
    seen: NDArray[np.int64]


def greedy(similarities: Similarities, terms: Terms, quota: NDArray[np.int64], per_image: int | None) -> Found:
    """Run lazy greedy over all candidates, see `lazy_greedy`."""
    best = np.zeros(similarities.n, np.int16)
    seen = np.zeros(len(terms.worth), np.int64)
    if per_image is None:
        image, room = np.zeros(len(terms.bonus), np.int32), np.array([UNLIMITED])
    else:
        _, inverse = np.unique(terms.image, return_inverse=True)
        image, room = inverse.astype(np.int32), np.full(len(terms.image), per_image)
    start, points, quanta, dense, _ = similarities
    concepts = (terms.concept_start, terms.concepts, terms.worth, seen)
    limits = (terms.cell, quota.copy(), image, room)
    size = int(quota.sum())
    picks, gains = lazy_greedy(start, points, quanta, dense, best, terms.bonus, *concepts, *limits, size, terms.price)
    return Found(picks, gains, best, seen)


def all_pairs(quanta: NDArray[np.int16]) -> Similarities:
    """Wrap a full (m, n) table of similarities."""
    m, n = quanta.shape
    return Similarities(np.arange(m + 1, dtype=np.int64) * n, np.zeros(0, np.int32), quanta.ravel(), dense=True, n=n)


class Block(NamedTuple):
    """A block that proposes candidates: its rows of the matrix, their terms, and the number from each of its cells."""

    rows: NDArray[np.int64]
    terms: Terms
    wanted: NDArray[np.int64]
    per_image: int | None


def propose(vectors: Vectors, block: Block) -> NDArray[np.int64]:
    """Pick greedily in one block by its own similarities; return positions in the block, ascending."""
    if block.wanted.sum() == len(block.rows):
        return np.arange(len(block.rows))
    points = rows_of(vectors, block.rows)
    found = greedy(all_pairs(quantise(points @ points.T)), block.terms, block.wanted, block.per_image)
    return np.sort(found.picks)


class View(NamedTuple):
    """A block and the candidates near it: its rows of the matrix, and the candidates by number and by row."""

    rows: NDArray[np.int64]
    number: NDArray[np.int32]
    candidates: NDArray[np.int64]
    keep: int


def look(vectors: Vectors, view: View) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Return the numbers and quanta of the nearest candidates of each point of one block."""
    similarities = rows_of(vectors, view.rows) @ rows_of(vectors, view.candidates).T
    columns, quanta = nearest_columns(similarities, view.keep)
    return view.number[columns], quanta


class Reach(NamedTuple):
    """A block with the best similarity of each point, and candidates that may be closer, by row of the matrix."""

    rows: NDArray[np.int64]
    best: NDArray[np.int16]
    candidates: NDArray[np.int64]


def exceed(vectors: Vectors, reach: Reach) -> NDArray[np.int64]:
    """Return by how much each candidate would raise the coverage of one block."""
    return np.asarray(gains_beyond(rows_of(vectors, reach.rows) @ rows_of(vectors, reach.candidates).T, reach.best))


def per_block(
    function: Callable[[Vectors, In], Out], vectors: Vectors, blocks: Sequence[In], *, label: str
) -> list[Out]:
    """Apply a function to the matrix and each block: in threads on one machine, in tasks of `GROUP` blocks on Ray.

    Threads need no copy of the data of a block; starting processes would cost more than it saves.
    """
    if not distributed():
        return each(partial(function, vectors), blocks, label=label)
    groups = [blocks[first : first + GROUP] for first in range(0, len(blocks), GROUP)]
    found = spread(partial(_group, function, stored(vectors)), groups, label=label)
    return [result for group in found for result in group]


def _group(function: Callable[[Vectors, In], Out], where: Vectors | Stored, blocks: Sequence[In]) -> list[Out]:
    """Apply a function to each block of a group."""
    vectors = opened(where)
    return [function(vectors, block) for block in blocks]
