"""Which picks go to which file, and in which order."""

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
        ``"picked"``, or ``"shuffled"``: in random order by seed and key.
    files
        ``"one"``, or ``"parts"``: a file for each part, named after it, such as ``mix.stage1.json``.
    parts
        Name of each part to number of its picks, in pick order.
    seed
        Seed of the random order.
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
            Path of the mix.
        pool
            n samples.
        rows
            (k,) rows in pick order.

        Returns
        -------
        dict
            Path to rows; each row is in exactly one file.
        """
        found = {path: rows}
        if self.files == "parts":
            names = [path.with_name(f"{path.stem}.{name}{path.suffix}") for name in self.parts]
            found = dict(zip(names, np.split(rows, np.cumsum(list(self.parts.values()))[:-1]), strict=True))
        return {file: self._ordered(pool, own) for file, own in found.items()}

    def _ordered(self, pool: Pool, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put the rows of a file in order; samples with the same key stay in pick order."""
        if self.order == "picked":
            return rows
        return shuffled(rows, pool.rows["key"], seed=self.seed, label="write.order")
