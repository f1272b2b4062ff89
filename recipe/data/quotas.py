"""The constraints of a selector: how many samples of each cell, and of each image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

REPORT = {"margin": pl.String, "value": pl.String, "supply": pl.Int64, "wanted": pl.Int64, "quota": pl.Int64}


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
        (q,) int32: cells of one stratum differ in their cluster only. If an image limit keeps a cell from its quota,
        other cells of its stratum are used first.
    limited
        (q,) bool: true where no more than the quota of the stratum may be picked, since the recipe limits its source.
    image
        (n,) int32: the image of each row; every row without an image has its own number.
    per_image
        The maximum number of samples of one image; None for no limit.
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

    def lent(self) -> Quotas:
        """Return the same quotas for a function of your own, which cannot change these in place."""
        arrays = {name: getattr(self, name).view() for name in ("cell", "quota", "stratum", "limited", "image")}
        for array in arrays.values():
            array.flags.writeable = False
        return replace(self, **arrays, report=self.report.clone())

    def columns(self) -> pl.DataFrame:
        """Return the columns `cell` (null where a row may not be selected) and `cell_quota` for the pool's table."""
        cell = pl.Series("cell", self.cell)
        open_cell = pl.select(pl.when(cell >= 0).then(cell).alias("cell")).to_series()
        return pl.DataFrame({"cell": open_cell, "cell_quota": pl.Series(self.quota).gather(open_cell)})


def join_quotas(parts: Mapping[str, Quotas]) -> Quotas:
    """Join the quotas of the parts of a mix, each with its own cells.

    Parameters
    ----------
    parts
        Name to quotas of the same n rows. A row with a cell in several of them keeps that of the last.

    Returns
    -------
    Quotas
        The report has a line for each part, under the margin `part`, and the name of the part before each margin.
        Limits on images were applied within each part, so there is none for the whole.
    """
    cell = np.full(len(next(iter(parts.values())).cell), -1, np.int32)
    cells = strata = 0
    stratum, report = [], []
    for name, one in parts.items():
        in_part = one.cell >= 0
        cell[in_part] = one.cell[in_part] + cells
        stratum.append(one.stratum + strata)
        cells, strata = cells + len(one.quota), strata + int(one.stratum.max(initial=-1)) + 1
        of_part = one.report.with_columns(margin=name + ": " + pl.col("margin"))
        whole = {"margin": "part", "value": name, "supply": int(in_part.sum()), "wanted": one.size, "quota": one.size}
        report.append((pl.DataFrame([whole], schema=one.report.schema), of_part))
    quota, limited = (np.concatenate([getattr(one, name) for one in parts.values()]) for name in ("quota", "limited"))
    image = next(iter(parts.values())).image
    lines = pl.concat([*(line for line, _ in report), *(lines for _, lines in report)])
    return Quotas(cell, quota, np.concatenate(stratum).astype(np.int32), limited, image, None, lines)
