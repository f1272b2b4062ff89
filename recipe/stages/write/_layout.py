"""Which picks stand in which file, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from recipe.engine.seed import shuffled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.data.pool import Pool


@dataclass(frozen=True)
class Layout:
    """How the picks of a mix become files.

    Parameters
    ----------
    order
        ``"picked"``, or ``"shuffled"`` by the seed: each key draws its place.
    files
        ``"one"``, or ``"parts"``: a file for each part, named after it, as ``mix.stage1.json``.
    parts
        Name to number of picks, in pick order.
    seed
        Of the places.
    """

    order: Literal["picked", "shuffled"] = "picked"
    files: Literal["one", "parts"] = "one"
    parts: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0

    def split(self, path: Path, pool: Pool, rows: NDArray[np.int64]) -> dict[Path, NDArray[np.int64]]:
        """Return the files and the rows of each, in the order in which they are written.

        Parameters
        ----------
        path
            Where the mix goes.
        pool
            n samples.
        rows
            (k,) rows in pick order.

        Returns
        -------
        dict
            Path to rows; all rows are in one of them.
        """
        found = {path: rows}
        if self.files == "parts":
            names = [path.with_name(f"{path.stem}.{name}{path.suffix}") for name in self.parts]
            found = dict(zip(names, np.split(rows, np.cumsum(list(self.parts.values()))[:-1]), strict=True))
        return {file: self._ordered(pool, some) for file, some in found.items()}

    def _ordered(self, pool: Pool, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put the rows of a file in order; samples of one key stay in pick order."""
        if self.order == "picked":
            return rows
        return shuffled(rows, pool.rows["key"], seed=self.seed, label="write.order")
