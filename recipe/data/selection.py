"""What was picked of what: the data of a mix, without what can be done with it."""

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

UNSCORED = ("turns", "extra", "order")  # what the scores leave out: the text, and the order of reading


@dataclass(frozen=True, repr=False)
class Selection:
    """The picked samples in pick order, the pool they were picked from, and how.

    Parameters
    ----------
    pool
        All samples that were read, labelled and scored.
    picks
        Rows in pick order, and their gains.
    quotas
        What was asked of each cell.
    recipe
        The whole recipe.

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
            raise AlignmentError("expected unique picks among the eligible rows; the selector broke its contract")
        if sum(self.counts.values()) != self.counts["read"] * 2:
            raise AlignmentError(f"expected read = picked + not picked + rejected, got {self.counts}")

    def __len__(self) -> int:
        return len(self.picks)

    @property
    def fidelity(self) -> Mapping[str, float]:
        """What the embedder says of its vectors, as how like its teacher a student is."""
        return self.pool.checkpoint.fidelity

    @property
    def keys(self) -> list[str]:
        """(k,) keys of the picked samples in pick order."""
        return self.pool.rows["key"].gather(self.picks.rows).to_list()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Samples read, picked, not picked, and rejected by code: read is the sum of all others."""
        rejected = {f"rejected {code}": count for code, count in sorted(rejects(self.pool.rows).items())}
        open_rows = int(self.pool.eligible.sum())
        return {"read": len(self.pool), "picked": len(self), "not picked": open_rows - len(self), **rejected}

    @cached_property
    def scores(self) -> pl.DataFrame:
        """Every sample of the pool: labels, scores, cell, problem, rank and gains (null if it was not picked)."""
        picked = self.picks.rows
        chosen = np.zeros(len(self.pool), np.bool_)
        chosen[picked] = True

        def spread(name: str, values: NDArray[Any], dtype: type[pl.DataType]) -> pl.Series:
            """Set the values of the picks into a column of all rows."""
            column = np.zeros(len(self.pool), values.dtype)
            column[picked] = values
            return pl.select(pl.when(pl.Series(chosen)).then(pl.Series(column)).cast(dtype).alias(name)).to_series()

        gains = {f"gain_{term}": gain for term, gain in self.picks.gains.items()}
        if gains:
            gains["gain"] = np.sum(list(gains.values()), axis=0)
        columns = [spread("rank", np.arange(len(self)), pl.UInt32)]
        columns += [spread(name, gain, pl.Float64) for name, gain in gains.items()]
        rows = self.pool.rows
        # Columns are taken one by one: polars would copy all of a table whose columns are cut up in different ways.
        return pl.DataFrame([rows[name] for name in rows.columns if name not in UNSCORED] + columns)

    @property
    def certificate(self) -> float | None:
        """At least this share of the best possible objective was reached; None if the selector gives no bound.

        In a pool of several blocks a sample counts as covered only by picks near it, see
        `recipe.stages.select.facility`.
        """
        return self.picks.certificate
