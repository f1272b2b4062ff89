"""The two rounds of facility location: candidates from each block, then picks from all candidates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from recipe.data.blocks import centres_of, every, near_blocks
from recipe.data.groups import grouped, grouped_by_number
from recipe.data.vectors import rows_of
from recipe.engine import each
from recipe.stages.select._facility.tasks import (
    Block,
    Found,
    Similarities,
    View,
    all_pairs,
    greedy,
    look,
    per_block,
    propose,
)
from recipe.stages.select._kernels.lazy_greedy import quantise
from recipe.stages.select._kernels.sparse import count_columns, place_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors
    from recipe.stages.select._facility.terms import Terms

Item = TypeVar("Item")
PROBES, CROWD = 128, 1024  # points that test whether blocks contain their neighbours, and points of the whole pool
MANY = 8192  # cells
TIGHT = 0.75  # share of probes with their nearest neighbour in their block; half would have it at random
STRIDE = 1000  # rows of the full table that are computed at once


@dataclass(frozen=True)
class Ground:
    """The ground set: all samples that may be picked, split into blocks.

    Parameters
    ----------
    vectors
        (n, d) float32 or float16 unit rows of the pool.
    rows
        (m,) int64 rows of it that may be picked; "places" are positions in this array.
    terms
        Aligned with `rows`.
    quota
        (q,) int64 quota of each cell.
    per_image
        Maximum per image, or None.
    blocks
        Places of each block; each block proposes candidates.
    cluster
        (m,) int32, aligned with `rows`. The intersections of clusters and blocks are the cells for which nearby
        candidates are looked up.
    """

    vectors: Vectors
    rows: NDArray[np.int64]
    terms: Terms
    quota: NDArray[np.int64]
    per_image: int | None
    blocks: list[NDArray[np.int64]]
    cluster: NDArray[np.int32]

    @cached_property
    def supply(self) -> NDArray[np.int64]:
        """(q,) int64 samples of each cell."""
        return np.bincount(self.terms.cell, minlength=len(self.quota))

    @cached_property
    def centres(self) -> NDArray[np.float32]:
        """(b, d) float32 unit mean of each block."""
        return centres_of(self.vectors, (self.rows[block] for block in self.blocks))

    @cached_property
    def home(self) -> NDArray[np.int64]:
        """(m,) int64 block of each place."""
        return _number(self.blocks, len(self.rows))

    @cached_property
    def cells(self) -> list[NDArray[np.int64]]:
        """Places of each cell, ascending; the blocks, if there are too many cells to compare all of them."""
        label = self.home * (int(self.cluster.max(initial=0)) + 1) + self.cluster
        return grouped(np.arange(len(label)), label) if len(np.unique(label)) <= MANY else self.blocks

    @cached_property
    def cell_of(self) -> NDArray[np.int64]:
        """(m,) int64 cell of each place."""
        return _number(self.cells, len(self.rows))

    @cached_property
    def tight(self) -> bool:
        """Whether blocks contain neighbours: most probes have a nearer one in their block than among as many others."""
        probes, crowd = every(np.arange(len(self.rows)), PROBES), every(np.arange(len(self.rows)), CROWD)
        points, crowd_points = (rows_of(self.vectors, self.rows[places]) for places in (probes, crowd))
        home = self.home[probes]
        nearer = 0
        for b in np.unique(home):
            mine = np.flatnonzero(home == b)
            outside = crowd_points[self.home[crowd] != b]
            around = every(self.blocks[b], max(1, len(outside)))
            near, far = points[mine] @ rows_of(self.vectors, self.rows[around]).T, points[mine] @ outside.T
            near[probes[mine][:, None] == around] = -1  # itself
            nearer += int((near.max(axis=1, initial=-1) > far.max(axis=1, initial=-1)).sum())
        return nearer >= TIGHT * len(probes)

    def solve_all_pairs(self, candidates: NDArray[np.int64]) -> Found:
        """Run greedy over candidates by their similarities to all points; O(n m d) time and O(n m) memory."""
        points = rows_of(self.vectors, self.rows)
        strides = [candidates[first : first + STRIDE] for first in range(0, len(candidates), STRIDE)]
        table = np.empty((len(candidates), len(points)), np.int16)

        def fill(number: int) -> None:
            table[number * STRIDE : (number + 1) * STRIDE] = quantise(points[strides[number]] @ points.T)

        each(fill, range(len(strides)), label="select: similarities")
        return greedy(all_pairs(table), self.terms.take(candidates), self.quota, self.per_image)

    def propose(self, factor: float) -> NDArray[np.int64]:
        """Return the best places of each block, `factor` times its share of every quota, rounded up; ascending."""
        blocks = []
        for places in self.blocks:
            terms = self.terms.take(places)
            cells, local, counts = np.unique(terms.cell, return_inverse=True, return_counts=True)
            wanted = np.ceil(factor * self.quota[cells] * (counts / self.supply[cells]) - 1e-9).astype(np.int64)
            terms = terms.in_cells(local.astype(np.int32))
            blocks.append(Block(self.rows[places], terms, np.minimum(wanted, counts), self.per_image))
        found = per_block(propose, self.vectors, blocks, label="select: candidates")
        return np.sort(np.concatenate([places[picks] for places, picks in zip(self.blocks, found, strict=True)]))

    def near(self, places: list[NDArray[np.int64]], reach: int) -> list[NDArray[np.int64]]:
        """List the nearest blocks of each block that together have `reach` of the places given for each block."""
        return near_blocks(self.centres, np.array([len(own) for own in places]), reach=reach)

    def by_block(self, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Group places by their block; ascending in each."""
        return grouped_by_number(places, self.home[places], len(self.blocks))

    def views(self, candidates: NDArray[np.int64], reach: int, keep: int) -> list[View]:
        """Return for each cell the about `reach` candidates around it, of which each point keeps the `keep` nearest."""
        by_cell = grouped_by_number(candidates, self.cell_of[candidates], len(self.cells))
        near = near_blocks(self.cell_centres, np.array([len(own) for own in by_cell]), reach=reach)
        views = []
        for places, around in zip(self.cells, near, strict=True):
            others = np.sort(np.concatenate([by_cell[c] for c in around]))
            number = np.searchsorted(candidates, others).astype(np.int32)
            views.append(View(self.rows[places], number, self.rows[others], keep))
        return views

    @cached_property
    def cell_centres(self) -> NDArray[np.float32]:
        """(c, d) float32 unit mean of each cell."""
        return centres_of(self.vectors, (self.rows[cell] for cell in self.cells))

    def merge(self, candidates: NDArray[np.int64], reach: int, keep: int) -> Found:
        """Run greedy over ascending candidates; points keep the `keep` nearest of about `reach` around their cell.

        Returns
        -------
        Found
            Its picks are positions in `candidates`.
        """
        kept = per_block(look, self.vectors, self.views(candidates, reach, keep), label="select: neighbours")
        seen = sort_by_candidate(kept, len(candidates))
        found = greedy(seen, self.terms.take(candidates), self.quota, self.per_image)
        best = np.empty_like(found.best)
        best[np.concatenate(self.cells)] = found.best
        return found._replace(best=best)


def _number(groups: list[NDArray[np.int64]], m: int) -> NDArray[np.int64]:
    """Return the number of the group of each of m places."""
    number = np.empty(m, np.int64)
    number[np.concatenate(groups)] = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return number


def sort_by_candidate(kept: list[tuple[NDArray[np.int32], NDArray[np.int16]]], m: int) -> Similarities:
    """Sort the similarities that points keep by candidate; empties the given list, since two copies need memory."""
    count = np.zeros(m, np.int64)
    for columns, _ in kept:
        count_columns(columns, count)
    start = np.concatenate([[0], np.cumsum(count)])
    points, quanta = np.empty(start[-1], np.int32), np.empty(start[-1], np.int16)
    place, first = start[:-1].copy(), 0
    for columns, values in _use_up(kept):
        place_columns(columns, values, first, place, points, quanta)
        first += len(columns)
    return Similarities(start, points, quanta, dense=False, n=first)


def _use_up(items: list[Item]) -> Iterator[Item]:
    """Yield the items of a list in order, and remove each from it."""
    items.reverse()
    while items:
        yield items.pop()
