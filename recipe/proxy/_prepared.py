"""What is the same for every mix of one pool: classes, question vectors and bytes, each worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.errors import AlignmentError, ConfigError
from recipe.pool import SCHEMA, Pool
from recipe.tables import take

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = ""  # the class of a sample without a label


@dataclass(frozen=True)
class Prepared:
    """A pool made ready for the learners. Make it once, and give it to all calls of all of them.

    Nothing is worked out before a learner asks for it, and nothing twice. The text of the rows named is in memory; rows
    that will be neither picked nor held out need not be named.

    Parameters
    ----------
    pool
        n samples, labelled (`task`, `answer`) and embedded.
    rows
        (r,) rows that may be picked or held out, ascending and unique; those that may be selected by default.
    """

    pool: Pool
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, pool: Pool, rows: NDArray[np.int64] | None = None) -> Prepared:
        """Return a pool made ready, for some rows or for all that may be selected; O(1) until a learner asks."""
        return cls(pool, np.flatnonzero(pool.eligible) if rows is None else np.unique(rows))

    def places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where rows stand among the prepared ones, ascending and without repeats; O(k log r).

        Raises
        ------
        ConfigError
            If there are no rows.
        AlignmentError
            If a row was not prepared.
        """
        asked = np.unique(rows)
        if not len(asked):
            raise ConfigError("proxy: expected rows to learn from and rows to judge on, got none")
        places = np.searchsorted(self.rows, asked)
        known = places < len(self.rows)
        known[known] = self.rows[places[known]] == asked[known]
        if not known.all():
            raise AlignmentError(
                f"proxy: expected rows that were prepared, got {int((~known).sum())} others, as {asked[~known][0]}; "
                "name them in Prepared.of, and give it rows that may be selected"
            )
        return places

    @cached_property
    def classes(self) -> dict[str, NDArray[np.int64]]:
        """``task`` and ``answer`` to (r,) int64: the number of each row's label, labels in alphabetical order."""
        table = take(self.pool.rows, ["task", "answer"], self.rows)
        labels = {name: table[name].cast(pl.String).fill_null(NONE).to_numpy().astype(str) for name in table.columns}
        return {name: np.unique(values, return_inverse=True)[1].astype(np.int64) for name, values in labels.items()}

    @cached_property
    def qas(self) -> pl.DataFrame:
        """One line a question-answer pair of the rows, as `Pool.qas`, with places for rows; null is an empty text."""
        table = take(self.pool.rows, [name for name in SCHEMA if name != "row"], self.rows)
        return Pool(table.with_row_index("row")).qas.with_columns(pl.col("question", "answer").fill_null(""))
