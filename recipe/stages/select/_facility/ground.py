"""The rounds of facility location: candidates inside blocks, and the mix over all candidates."""

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
PROBES, CROWD = 128, 1024  # points that are asked whether blocks hold neighbours, and points from all over
MANY = 8192  # cells
TIGHT = 0.75  # share of them that say so; half would by chance
STRIDE = 1000  # rows of a whole table that are computed at once


@dataclass(frozen=True)
class Ground:
    """The ground set: all samples that may be picked, cut into blocks.

    Parameters
    ----------
    vectors
        (n, d) float32 or float16 unit rows of the pool.
    rows
        (m,) int64 rows of it that may be picked; whatever is said of places is said of places in it.
    terms
        Aligned with `rows`.
    quota
        (q,) int64 wanted of each cell.
    per_image
        Most of one image, or None.
    blocks
        Places of each block, that candidates are proposed in.
    cluster
        (m,) int32, aligned with `rows`. What of a cluster lies in a block is a cell: points look around from there.
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
        """Places of each cell, ascending; blocks, if cells are too many to compare all of them."""
        label = self.home * (int(self.cluster.max(initial=0)) + 1) + self.cluster
        return grouped(np.arange(len(label)), label) if len(np.unique(label)) <= MANY else self.blocks

    @cached_property
    def cell_of(self) -> NDArray[np.int64]:
        """(m,) int64 cell of each place."""
        return _number(self.cells, len(self.rows))

    @cached_property
    def tight(self) -> bool:
        """Whether blocks hold neighbours: whether probes have their nearest at home, not among as many strangers."""
        probes, crowd = every(np.arange(len(self.rows)), PROBES), every(np.arange(len(self.rows)), CROWD)
        points, strangers = (rows_of(self.vectors, self.rows[places]) for places in (probes, crowd))
        home = self.home[probes]
        nearer = 0
        for b in np.unique(home):
            mine = np.flatnonzero(home == b)
            abroad = strangers[self.home[crowd] != b]
            around = every(self.blocks[b], max(1, len(abroad)))
            near, far = points[mine] @ rows_of(self.vectors, self.rows[around]).T, points[mine] @ abroad.T
            near[probes[mine][:, None] == around] = -1  # itself
            nearer += int((near.max(axis=1, initial=-1) > far.max(axis=1, initial=-1)).sum())
        return nearer >= TIGHT * len(probes)

    def whole(self, candidates: NDArray[np.int64]) -> Found:
        """Greedy over candidates by their similarities to all points, all of them at once; O(n m d) and O(n m)."""
        points = rows_of(self.vectors, self.rows)
        strides = [candidates[first : first + STRIDE] for first in range(0, len(candidates), STRIDE)]
        table = np.empty((len(candidates), len(points)), np.int16)

        def fill(number: int) -> None:
            table[number * STRIDE : (number + 1) * STRIDE] = quantise(points[strides[number]] @ points.T)

        each(fill, range(len(strides)), label="select: similarities")
        return greedy(all_pairs(table), self.terms.take(candidates), self.quota, self.per_image)

    def propose(self, factor: float) -> NDArray[np.int64]:
        """Let each block propose its best places, `factor` times its part of every quota, rounded up; ascending."""
        blocks = []
        for places in self.blocks:
            terms = self.terms.take(places)
            cells, local, here = np.unique(terms.cell, return_inverse=True, return_counts=True)
            wanted = np.ceil(factor * self.quota[cells] * (here / self.supply[cells]) - 1e-9).astype(np.int64)
            terms = terms.in_cells(local.astype(np.int32))
            blocks.append(Block(self.rows[places], terms, np.minimum(wanted, here), self.per_image))
        found = per_block(propose, self.vectors, blocks, label="select: candidates")
        return np.sort(np.concatenate([places[picks] for places, picks in zip(self.blocks, found, strict=True)]))

    def near(self, weights: list[NDArray[np.int64]], reach: int) -> list[NDArray[np.int64]]:
        """List the blocks near each block, until they hold `reach` of the places listed for each block."""
        return near_blocks(self.centres, np.array([len(part) for part in weights]), reach=reach)

    def by_block(self, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Sort places by their block; ascending in each."""
        return grouped_by_number(places, self.home[places], len(self.blocks))

    def views(self, candidates: NDArray[np.int64], reach: int, keep: int) -> list[View]:
        """Let each cell look at the `keep` nearest of about `reach` candidates around it, by number."""
        by_cell = grouped_by_number(candidates, self.cell_of[candidates], len(self.cells))
        near = near_blocks(self.cell_centres, np.array([len(part) for part in by_cell]), reach=reach)
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
        """Greedy over ascending candidates, where points see the `keep` nearest of about `reach` around their cell.

        Returns
        -------
        Found
            Its picks are numbers of candidates.
        """
        kept = per_block(look, self.vectors, self.views(candidates, reach, keep), label="select: neighbours")
        seen = sort_by_candidate(kept, len(candidates))
        found = greedy(seen, self.terms.take(candidates), self.quota, self.per_image)
        best = np.empty_like(found.best)
        best[np.concatenate(self.cells)] = found.best
        return found._replace(best=best)


def _number(parts: list[NDArray[np.int64]], m: int) -> NDArray[np.int64]:
    """Return the number of the part that each of m places stands in."""
    number = np.empty(m, np.int64)
    number[np.concatenate(parts)] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return number


def sort_by_candidate(kept: list[tuple[NDArray[np.int32], NDArray[np.int16]]], m: int) -> Similarities:
    """Sort what the points of each block keep by candidate; the lists given are used up, since both take memory."""
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
    """Take items from the front of a list, and let go of each."""
    items.reverse()
    while items:
        yield items.pop()
