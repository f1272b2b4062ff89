"""What a selector must keep to: how many of each cell, and how many of each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Quotas:
    """How many samples of each cell are wanted.

    Parameters
    ----------
    cell
        (n,) int32: the cell of each row of the pool; -1 where a row may not be selected.
    quota
        (q,) int64: how many of each cell are wanted; never more than the cell holds.
    stratum
        (q,) int32: cells of one stratum differ in their cluster only. Where an image limit keeps a cell from its quota,
        another cell of its stratum gives first.
    limited
        (q,) bool: true where no more than the quota of the stratum may be taken, since the recipe limits its source.
    image
        (n,) int32: the image of each row; rows without an image have a number of their own each.
    per_image
        At most this many samples of one image, or None for no limit.
    report
        One line for each value of each margin: margin, value, supply, wanted, quota.
    """

    cell: NDArray[np.int32]
    quota: NDArray[np.int64]
    stratum: NDArray[np.int32]
    limited: NDArray[np.bool_]
    image: NDArray[np.int32]
    per_image: int | None
    report: pl.DataFrame

    @property
    def size(self) -> int:
        """How many samples are wanted in all."""
        return int(self.quota.sum())

    def columns(self) -> pl.DataFrame:
        """Return the columns `cell` (null where a row may not be selected) and `cell_quota` for the pool's table."""
        cell = pl.Series("cell", self.cell)
        open_cell = pl.select(pl.when(cell >= 0).then(cell).alias("cell")).to_series()
        return pl.DataFrame({"cell": open_cell, "cell_quota": pl.Series(self.quota).gather(open_cell)})
