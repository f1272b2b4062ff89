"""The terms of the objective besides coverage: concepts and quality, in quanta."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.stages.select._kernels.lazy_greedy import QUANTUM
from recipe.stages.select._worth import worth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas


@dataclass(frozen=True)
class Terms:
    """Concepts, bonus, cell and image of some rows of the pool, as arrays for the kernels.

    Parameters
    ----------
    bonus
        (m,) int64 modular term of each row.
    concept_start, concepts
        (m+1,) int64 and int32: the concepts of row j are ``concepts[concept_start[j]:concept_start[j+1]]``.
    worth
        (u,) float64: weight of the square root of each concept's count.
    cell, image
        (m,) int32.
    price
        (m,) float64 above 0, by which the gain of each row is divided before gains are compared; None for 1.
    """

    bonus: NDArray[np.int64]
    concept_start: NDArray[np.int64]
    concepts: NDArray[np.int32]
    worth: NDArray[np.float64]
    cell: NDArray[np.int32]
    image: NDArray[np.int32]
    price: NDArray[np.float64] | None = None

    def take(self, rows: NDArray[np.int64]) -> Terms:
        """Return the terms of some of the rows, in the given order."""
        count = np.diff(self.concept_start)[rows]
        start = np.concatenate([[0], np.cumsum(count)])
        inside = np.arange(start[-1]) - np.repeat(start[:-1], count) + np.repeat(self.concept_start[:-1][rows], count)
        price = None if self.price is None else self.price[rows]
        limits = (self.cell[rows], self.image[rows])
        return Terms(self.bonus[rows], start, self.concepts[inside], self.worth, *limits, price)

    def in_cells(self, cell: NDArray[np.int32]) -> Terms:
        """Return the same terms with other numbers of the cells."""
        return replace(self, cell=cell)

    def with_image(self, image: NDArray[np.int32]) -> Terms:
        """Return the same terms with other numbers of the images."""
        return replace(self, image=image)


def weigh_terms(
    pool: Pool, rows: NDArray[np.int64], quotas: Quotas, *, concepts: float, quality: Mapping[str, float]
) -> Terms:
    """Scale the terms so that each weight is a share of the objective.

    With weight 1 a term can contribute as much as full coverage: if all m rows are picked, each concept has a square
    root of 1, and if all picks have the best rank in every score, quality is 1.

    Parameters
    ----------
    pool
        n samples with a list column `concepts` (if weighted) and the named scores.
    rows
        (m,) int64 rows that may be selected.
    quotas
        How many of each cell.
    concepts
        Weight of concept coverage.
    quality
        Score to weight; a score counts by its rank among the rows, 0..1.

    Returns
    -------
    Terms
        Aligned with `rows`.
    """
    m = len(rows)
    bonus = worth_of(pool, rows, quality, "select: quality") if quality else np.zeros(m)
    start = np.zeros(m + 1, np.int64)
    codes = np.zeros(0, np.int32)
    worth = np.zeros(0)
    if concepts:
        lists = pool.rows["concepts"][rows].fill_null([])
        start[1:] = np.cumsum(lists.list.len().to_numpy())
        named = lists.explode().drop_nulls()
        names = named.unique().sort()
        codes = (
            named.cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int32)
        )  # without a Python object per mention
        frequency = np.bincount(codes, minlength=len(names))
        worth = concepts * m * QUANTUM / max(1, len(names)) / np.sqrt(frequency)
    quanta = np.rint(bonus * QUANTUM * m / max(1, quotas.size)).astype(np.int64)
    return Terms(quanta, start, codes, worth, quotas.cell[rows], quotas.image[rows])
