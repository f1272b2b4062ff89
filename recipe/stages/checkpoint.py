"""The stages that a pool has gone through: what each has made is kept under a name that tells all it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.pool import part_pool
from recipe.engine import spread
from recipe.io.arrow import map_table, write_table
from recipe.io.hashes import file_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.config.step import Step
    from recipe.data.pool import Parts, Pool
    from recipe.io.cache import Store

    Made = pl.DataFrame | NDArray[Any]


@dataclass(frozen=True)
class Trail:
    """Where a pool stands on its way through the stages.

    Parameters
    ----------
    parts
        The files of the pool; None for a pool in memory, of which nothing is kept.
    folder
        The artefacts of the stage it is at, in the store of the parts.
    """

    parts: Parts | None
    folder: str = ""

    @classmethod
    def of(cls, pool: Pool) -> Trail:
        """Begin where the pool was read."""
        return cls(pool.parts, pool.parts.names[0].partition("/")[0]) if pool.parts else cls(None)

    def to(self, stage: str, *steps: Step, **knobs: Any) -> Trail:
        """Go on to a stage that has these steps and knobs.

        A step that is a callable has no name that tells what it does, so what is made from there on is made anew.
        """
        if self.parts is None:
            return self
        named = [
            [step.name if isinstance(step.name, str) else token_hex(8), step.knobs, file_hashes(step.knobs)]
            for step in steps
        ]
        return Trail(self.parts, self.parts.store.stage(stage, after=self.folder, steps=named, knobs=knobs))

    def by_part(self, pool: Pool, function: Callable[[Pool], Any], *, label: str, ending: str = ".arrow") -> list[Any]:
        """Apply a function to the pool part by part, each a pool of its own with rows from 0.

        Parameters
        ----------
        pool
            The pool that began the trail.
        function
            Importable; pool to table or array, row by row independent.
        label
            Name of the stage on the progress bar.
        ending
            ``".arrow"`` if it makes tables, ``".npy"`` if it makes arrays.

        Returns
        -------
        list
            What it made of each part, mapped from disk for a pool that lies there.
        """
        if self.parts is None:
            return [function(part) for part in pool.slices()]
        on_part = partial(_on_part, function, self.parts.store)
        return self.by_shard(on_part, self.parts.names, label=label, ending=ending)

    def by_shard(
        self, function: Callable[[Any], Made], shards: Sequence[Any], *, label: str, ending: str = ".npy"
    ) -> list[Any]:
        """Apply a function to shards, and keep what it makes of each; what is there already is not made again."""
        if self.parts is None:
            return [function(shard) for shard in shards]
        store, names = self.parts.store, [f"{self.folder}/{number:05}{ending}" for number in range(len(shards))]
        todo = [(name, shard) for name, shard in zip(names, shards, strict=True) if not store.has(name)]
        spread(partial(_keep, function, store), todo, label=label)
        return [_load(store.get(name)) for name in names]

    def whole(self, name: str, make: Callable[[], Made]) -> Any:
        """Make one artefact of the stage, unless it is there already; an array is mapped from disk."""
        if self.parts is None:
            return make()
        store, file = self.parts.store, f"{self.folder}/{name}"
        if not store.has(file):
            _keep(lambda _: make(), store, (file, None))
        return _load(store.get(file))

    def matrix(self, make: Callable[[], Sequence[NDArray[Any]]]) -> NDArray[Any]:
        """Put the arrays that `by_part` makes one below the other, in one file that is read where it is touched."""
        if self.parts is None:
            return np.concatenate(make())
        store, file = self.parts.store, f"{self.folder}/matrix.npy"
        if not store.has(file):
            blocks = make()
            shape = (sum(len(block) for block in blocks), *blocks[0].shape[1:])
            header = {"descr": np.lib.format.dtype_to_descr(blocks[0].dtype), "fortran_order": False, "shape": shape}
            with store.writing(file) as out:
                np.lib.format.write_array_header_1_0(out, header)
                for block in blocks:
                    out.write(np.ascontiguousarray(block).data)
            for number in range(len(blocks)):
                store.remove(f"{self.folder}/{number:05}.npy")
        return np.asanyarray(_load(store.get(file)))


def _on_part(function: Callable[[Pool], Any], store: Store, name: str) -> Any:
    """Apply a function to a part that lies on disk."""
    return function(part_pool(store, name))


def _keep(function: Callable[[Any], Made], store: Store, task: tuple[str, Any]) -> None:
    """Apply a function to a shard and write what it makes."""
    name, shard = task
    made = function(shard)
    with store.writing(name) as file:
        if isinstance(made, pl.DataFrame):
            write_table(made, file)
        else:
            np.save(file, made, allow_pickle=False)


def _load(path: Path) -> Made:
    """Map an artefact."""
    if path.suffix == ".arrow":
        return map_table(path)
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array
