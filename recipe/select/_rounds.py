"""The rounds of facility location: candidates inside blocks, the mix over all candidates, the bound of the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipe.blocks import centres_of, near_blocks
from recipe.engine import each
from recipe.select._kernels import concept_gain, gains_beyond, lazy_greedy, quantise, transpose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.select._terms import Terms

UNLIMITED = np.iinfo(np.int64).max


class Similarities(NamedTuple):
    """Similarities of m candidates to n points, candidate by candidate; `points` is unread where all are given."""

    start: NDArray[np.int64]
    points: NDArray[np.int32]
    quanta: NDArray[np.int16]
    dense: bool
    n: int


class Found(NamedTuple):
    """Picked candidates in pick order, their gains by term, and where they leave every point and every concept."""

    picks: NDArray[np.int64]
    gains: NDArray[np.int64]
    best: NDArray[np.int16]
    seen: NDArray[np.int64]


def greedy(similarities: Similarities, terms: Terms, quota: NDArray[np.int64], per_image: int | None) -> Found:
    """Run lazy greedy over all candidates; `lazy_greedy` says how."""
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
    picks, gains = lazy_greedy(start, points, quanta, dense, best, terms.bonus, *concepts, *limits, int(quota.sum()))
    return Found(picks, gains, best, seen)


@dataclass(frozen=True)
class Ground:
    """The ground set: all samples that may be picked, cut into blocks.

    Parameters
    ----------
    vectors
        (m, d) float32 unit rows.
    terms
        Aligned with them.
    quota
        (q,) int64 wanted of each cell.
    per_image
        Most of one image, or None.
    blocks
        Rows of each block.
    """

    vectors: NDArray[np.float32]
    terms: Terms
    quota: NDArray[np.int64]
    per_image: int | None
    blocks: list[NDArray[np.int64]]

    @cached_property
    def supply(self) -> NDArray[np.int64]:
        """(q,) int64 samples of each cell."""
        return np.bincount(self.terms.cell, minlength=len(self.quota))

    def inside(self, rows: NDArray[np.int64], quota: NDArray[np.int64]) -> Found:
        """Greedy among some rows by their own similarities, all of them at once."""
        points = self.vectors[rows]
        n = len(rows)
        start = np.arange(n + 1, dtype=np.int64) * n
        dense = Similarities(start, np.zeros(0, np.int32), quantise(points @ points.T).ravel(), dense=True, n=n)
        return greedy(dense, self.terms.take(rows), quota, self.per_image)

    def propose(self, factor: float) -> list[NDArray[np.int64]]:
        """Let each block propose its best rows, `factor` times its part of every quota, rounded up."""

        def proposals(rows: NDArray[np.int64]) -> NDArray[np.int64]:
            here = np.bincount(self.terms.cell[rows], minlength=len(self.quota))
            part = np.divide(here, self.supply, out=np.zeros(len(here)), where=self.supply > 0)
            wanted = np.minimum(np.ceil(factor * self.quota * part - 1e-9).astype(np.int64), here)
            if wanted.sum() == len(rows):
                return rows
            return np.sort(rows[self.inside(rows, wanted).picks])

        return each(proposals, self.blocks, label="select: candidates")

    def near(self, rows: list[NDArray[np.int64]], reach: int) -> list[NDArray[np.int64]]:
        """List the blocks near each block, until they hold `reach` of the rows listed for each block."""
        counts = np.array([len(part) for part in rows])
        return near_blocks(centres_of(self.vectors, self.blocks), counts, reach=reach)

    def merge(self, candidates: list[NDArray[np.int64]], reach: int, keep: int) -> tuple[NDArray[np.int64], Found]:
        """Greedy over all candidates, where every row sees the `keep` nearest of about `reach` candidates around it.

        Returns
        -------
        rows
            All candidates; the picks found are places in it.
        found
            Its `best` is aligned with the rows of the ground set.
        """
        chosen = np.sort(np.concatenate(candidates))
        near = self.near(candidates, reach)

        def nearest(b: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int16]]:
            others = np.sort(np.concatenate([candidates[c] for c in near[b]]))
            points = self.blocks[b]
            similarity = self.vectors[points] @ self.vectors[others].T
            columns = np.broadcast_to(np.arange(len(others)), similarity.shape)
            if len(others) > keep:
                columns = np.sort(np.argpartition(-similarity, keep - 1, axis=1)[:, :keep], axis=1)
            quanta = quantise(np.take_along_axis(similarity, columns, axis=1))
            place = np.searchsorted(chosen, others)[columns]
            return place.ravel().astype(np.int32), np.repeat(points, columns.shape[1]).astype(np.int32), quanta.ravel()

        parts = each(nearest, range(len(self.blocks)), label="select: neighbours")
        candidate, point, quantum = (np.concatenate(part) for part in zip(*parts, strict=True))
        start, points, quanta = transpose(candidate, point, quantum, len(chosen))
        sparse = Similarities(start, points, quanta, dense=False, n=len(self.vectors))
        return chosen, greedy(sparse, self.terms.take(chosen), self.quota, self.per_image)

    def certify(self, picks: NDArray[np.int64], found: Found, reach: int) -> tuple[int, int]:
        """Return the objective of the picks and a bound of the objective of any selection under the quotas, in quanta.

        Both count a point as covered only by picks of the blocks near its own, which hold `reach` points. Whatever b_i
        the picks give point i, a set O gives it at most b_i plus what each of O has above b_i; so O reaches at most the
        sum of the b_i plus, from each cell, as many of the largest gains as its quota. Concave and modular terms
        likewise, where what is picked already adds nothing.
        """
        near = self.near(self.blocks, reach)
        picked = np.zeros(len(self.vectors), np.bool_)
        picked[picks] = True

        def gains(b: int) -> tuple[NDArray[np.int64], int, NDArray[np.int64]]:
            rows = np.concatenate([self.blocks[c] for c in near[b]])
            covered, more = gains_beyond(self.vectors[self.blocks[b]] @ self.vectors[rows].T, picked[rows])
            return rows, covered, more

        terms = self.terms
        gain = terms.bonus + _concept_gains(terms.concept_start, terms.concepts, terms.worth, found.seen)
        gain[picks] = 0
        value = int(found.gains[:, 1:].sum())
        for rows, covered, more in each(gains, range(len(self.blocks)), label="select: certificate"):
            gain[rows] += more
            value += covered
        order = np.lexsort((-gain, terms.cell))
        first = np.concatenate([[0], np.cumsum(self.supply)])[:-1]
        rank = np.arange(len(order)) - first[terms.cell[order]]
        top = order[rank < self.quota[terms.cell[order]]]
        return value, value + int(gain[top].sum())


def _concept_gains(
    start: NDArray[np.int64], concepts: NDArray[np.int32], worth: NDArray[np.float64], seen: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return what one more sample's concepts are worth, for every sample."""
    return np.fromiter(
        (concept_gain(j, start, concepts, worth, seen) for j in range(len(start) - 1)), np.int64, len(start) - 1
    )
