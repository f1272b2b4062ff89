"""How far a pool has come: where its text lies on disk, and what the last stage that it went through has left there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recipe.io.arrow import map_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from recipe.io.cache import Store

SHARD = 65_536  # rows, about, that are worked on at a time


@dataclass(frozen=True)
class Shards:
    """Where the rows of a pool lie on disk, cut into files that are worked on one by one.

    Parameters
    ----------
    store
        Where the files are.
    names
        Arrow files of the columns of `recipe.data.pool.SCHEMA` but `row`, in the order of the rows.
    starts
        First row of each file, and the number of rows of all.
    """

    store: Store
    names: tuple[str, ...]
    starts: tuple[int, ...]

    def table(self) -> pl.DataFrame:
        """Return all rows, mapped from the files."""
        return map_tables(self.store.get(name) for name in self.names).with_row_index("row")


@dataclass(frozen=True)
class Checkpoint:
    """Where a pool stands on its way through the stages; `recipe.stages.checkpoint` says what is kept there.

    Parameters
    ----------
    shards
        The files of the pool; None for a pool in memory, of which nothing is kept.
    folder
        The artefacts of the stage that the pool went through last, in the store of the shards.
    fidelity
        What the embedder says of its vectors, as how like its teacher a student is.
    """

    shards: Shards | None = None
    folder: str = ""
    fidelity: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, shards: Shards) -> Checkpoint:
        """Return where a pool stands that was read into files."""
        return cls(shards, shards.names[0].partition("/")[0])
