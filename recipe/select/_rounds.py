"""The rounds of facility location: candidates inside blocks, and the mix over all candidates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from recipe.blocks import centres_of, every, near_blocks
from recipe.engine import each
from recipe.select._kernels import quantise
from recipe.select._sparse import count_columns, place_columns
from recipe.select._tasks import Block, Found, Similarities, View, all_pairs, greedy, look, per_block, propose
from recipe.vectors import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from recipe.select._terms import Terms
    from recipe.vectors import Vectors

Item = TypeVar("Item")
PROBES, CROWD = 128, 1024  # points that are asked whether blocks hold neighbours, and points from all over
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
        Places of each block. Points are numbered block by block.
    """

    vectors: Vectors
    rows: NDArray[np.int64]
    terms: Terms
    quota: NDArray[np.int64]
    per_image: int | None
    blocks: list[NDArray[np.int64]]

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
        home = np.empty(len(self.rows), np.int64)
        home[np.concatenate(self.blocks)] = np.repeat(np.arange(len(self.blocks)), [len(b) for b in self.blocks])
        return home

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
            around = every(np.setdiff1d(self.blocks[b], probes), max(1, len(abroad)))
            near, far = points[mine] @ rows_of(self.vectors, self.rows[around]).T, points[mine] @ abroad.T
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

    def propose(self, factor: float) -> list[NDArray[np.int64]]:
        """Let each block propose its best places, `factor` times its part of every quota, rounded up."""
        blocks = []
        for places in self.blocks:
            terms = self.terms.take(places)
            cells, local, here = np.unique(terms.cell, return_inverse=True, return_counts=True)
            wanted = np.ceil(factor * self.quota[cells] * (here / self.supply[cells]) - 1e-9).astype(np.int64)
            terms = terms.in_cells(local.astype(np.int32))
            blocks.append(Block(self.rows[places], terms, np.minimum(wanted, here), self.per_image))
        found = per_block(propose, self.vectors, blocks, label="select: candidates")
        return [places[picks] for places, picks in zip(self.blocks, found, strict=True)]

    def near(self, weights: list[NDArray[np.int64]], reach: int) -> list[NDArray[np.int64]]:
        """List the blocks near each block, until they hold `reach` of the places listed for each block."""
        return near_blocks(self.centres, np.array([len(part) for part in weights]), reach=reach)

    def by_block(self, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Sort places by their block; ascending in each."""
        order = np.argsort(self.home[places], kind="stable")
        counts = np.bincount(self.home[places], minlength=len(self.blocks))
        return np.split(places[order], np.cumsum(counts)[:-1])

    def views(
        self, candidates: list[NDArray[np.int64]], chosen: NDArray[np.int64], reach: int, keep: int
    ) -> list[View]:
        """Let each block look at the `keep` nearest of about `reach` candidates around it, by number in `chosen`."""
        views = []
        for places, near in zip(self.blocks, self.near(candidates, reach), strict=True):
            others = np.sort(np.concatenate([candidates[b] for b in near]))
            number = np.searchsorted(chosen, others).astype(np.int32)
            views.append(View(self.rows[places], number, self.rows[others], keep))
        return views

    def merge(self, candidates: list[NDArray[np.int64]], reach: int, keep: int) -> tuple[NDArray[np.int64], Found]:
        """Greedy over all candidates, where every point sees the `keep` nearest of about `reach` candidates around it.

        Returns
        -------
        places
            All candidates, ascending; the picks found are numbers in it.
        found
            Its `best` is aligned with the points, block by block.
        """
        chosen = np.sort(np.concatenate(candidates))
        views = self.views(candidates, chosen, reach, keep)
        kept = per_block(look, self.vectors, views, label="select: neighbours")
        return chosen, greedy(sort_by_candidate(kept, len(chosen)), self.terms.take(chosen), self.quota, self.per_image)


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
