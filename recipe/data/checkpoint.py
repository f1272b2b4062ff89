"""The checkpoint of a pool: the files of its rows on disk, and the artefacts of the last stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recipe.io.arrow import map_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from recipe.io.hashes import Seen
    from recipe.io.store import Store

SHARD = 65_536  # rows of a shard, about
NO_ENDING, OWN_MIX = "no ending of samples", "a mix that recipe wrote"  # why something is passed over


@dataclass(frozen=True)
class Shards:
    """The rows of a pool on disk, in files that are processed one by one.

    Parameters
    ----------
    store
        The store of the files.
    names
        Arrow files of the columns of `recipe.data.pool.SCHEMA` but `row`, in the order of the rows.
    starts
        First row of each file, and the number of rows of all.
    """

    store: Store
    names: tuple[str, ...]
    starts: tuple[int, ...]

    def table(self) -> pl.DataFrame:
        """Return all rows, memory-mapped from the files."""
        return map_tables(self.store.get(name) for name in self.names).with_row_index("row")


@dataclass(frozen=True)
class Held:
    """Samples that were given in memory, as they lie in temporary files as long as this object.

    Parameters
    ----------
    store
        Where the files are.
    files
        Source to its file.
    """

    store: Store
    files: Mapping[str, str]


@dataclass(frozen=True)
class Checkpoint:
    """The state of a pool between stages; `recipe.stages.checkpoint` describes the artefacts.

    Parameters
    ----------
    shards
        The files of the pool; None for a pool in memory, of which nothing is stored.
    folder
        The folder of the last stage's artefacts, in the store of the shards.
    fidelity
        What the embedder reports of its vectors, as how similar a student is to its teacher.
    sources
        Each source by its name, as it was when it was read.
    files
        Each other file that a stage read, by its path, as it was when it was read.
    held
        The sources that were given in memory, if any.
    passed
        What lies beside the sources and was passed over, and why.
    """

    shards: Shards | None = None
    folder: str = ""
    fidelity: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, Seen] = field(default_factory=dict)
    files: Mapping[str, Seen] = field(default_factory=dict)
    held: Held | None = None
    passed: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, shards: Shards) -> Checkpoint:
        """Return the checkpoint of a pool that was read into files."""
        return cls(shards, shards.names[0].partition("/")[0])
