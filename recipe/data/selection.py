"""The data of a mix: the picks, their pool, quotas and recipe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.overview import rejects
from recipe.errors import AlignmentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas

# columns that the scores leave out: the text, the reading order, and what only readers and writers use
UNSCORED = ("turns", "extra", "order", "media", "frame", "ratings", "noted")


@dataclass(frozen=True, repr=False)
class Selection:
    """The picked samples in pick order, the pool they were picked from, and the quotas and recipe that were used.

    Parameters
    ----------
    pool
        All samples that were read, labelled and scored.
    picks
        Rows in pick order, and their gains.
    quotas
        How many samples of each cell were wanted.
    recipe
        The complete recipe.

    Raises
    ------
    AlignmentError
        If a pick is no eligible row, or is picked twice.
    """

    pool: Pool
    picks: Picks
    quotas: Quotas
    recipe: Recipe

    def __post_init__(self) -> None:
        rows = self.picks.rows
        if len(np.unique(rows)) != len(rows) or not self.pool.eligible[rows].all():
            raise AlignmentError("expected unique picks among the eligible rows; the selector returned others")
        if sum(self.counts.values()) != self.counts["read"] * 2:
            raise AlignmentError(f"expected read = picked + not picked + rejected, got {self.counts}")

    def __len__(self) -> int:
        return len(self.picks)

    @property
    def fidelity(self) -> Mapping[str, float]:
        """What the embedder reports of its vectors, as how similar a student is to its teacher."""
        return self.pool.checkpoint.fidelity

    @property
    def keys(self) -> list[str]:
        """(k,) keys of the picked samples in pick order."""
        return self.pool.rows["key"].gather(self.picks.rows).to_list()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Samples read, picked, not picked, and rejected by code: read is the sum of all others."""
        rejected = {f"rejected {code}": count for code, count in sorted(rejects(self.pool.rows).items())}
        eligible = int(self.pool.eligible.sum())
        return {"read": len(self.pool), "picked": len(self), "not picked": eligible - len(self), **rejected}

    @cached_property
    def scores(self) -> pl.DataFrame:
        """Every sample of the pool: labels, scores, cell, problem, rank and gains (null if it was not picked)."""
        picked = self.picks.rows
        chosen = np.zeros(len(self.pool), np.bool_)
        chosen[picked] = True

        def spread(name: str, values: NDArray[Any], dtype: type[pl.DataType]) -> pl.Series:
            """Return a column of all rows with the values of the picks."""
            column = np.zeros(len(self.pool), values.dtype)
            column[picked] = values
            return pl.select(pl.when(pl.Series(chosen)).then(pl.Series(column)).cast(dtype).alias(name)).to_series()

        gains = {f"gain_{term}": gain for term, gain in self.picks.gains.items()}
        if gains:
            gains["gain"] = np.sum(list(gains.values()), axis=0)
        columns = [spread("rank", np.arange(len(self)), pl.UInt32)]
        columns += [spread(name, gain, pl.Float64) for name, gain in gains.items()]
        rows = self.pool.rows
        # Columns are taken one by one: polars would copy a whole table whose columns have different chunks.
        return pl.DataFrame([rows[name] for name in rows.columns if name not in UNSCORED] + columns)

    @property
    def certificate(self) -> float | None:
        """Lower bound of the share of the best possible objective that was reached; None if the selector gives none.

        In a pool of several blocks a sample counts as covered only by picks near it, see
        `recipe.stages.select.facility`.
        """
        return self.picks.certificate
