"""What each stage has made of a pool is kept under a name that says all it was made of, and made once.

A pool carries its checkpoint. `enter` takes it to a stage; what is made there with `by_shard`, `by_task`, `whole` or
`matrix` is found again by a job that was killed, or that asks for the same. Of a pool in memory nothing is kept.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.config.code import code_of
from recipe.data.pool import Pool
from recipe.engine import spread
from recipe.io.arrow import map_table, write_table
from recipe.io.hashes import file_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.config.step import Step
    from recipe.io.cache import Store

    Made = pl.DataFrame | NDArray[Any]


def enter(pool: Pool, stage: str, *steps: Step, **knobs: Any) -> Pool:
    """Take a pool on to a stage that has these steps and knobs.

    A function of your own is known by its name and the hash of its source. One whose source cannot be found has
    nothing that says what it does, so what is made from there on is made again each time.
    """
    shards = pool.checkpoint.shards
    if shards is None:
        return pool
    named = [[*_named(step), step.knobs, file_hashes(step.knobs)] for step in steps]
    folder = shards.store.stage(stage, after=pool.checkpoint.folder, steps=named, knobs=knobs)
    return replace(pool, checkpoint=replace(pool.checkpoint, folder=folder))


def _named(step: Step) -> list[str | None]:
    """Return what tells the function of a step from all others."""
    code = code_of(step.name)
    if code is None:
        return [str(step.name), None]
    return [code.name, code.sha256 or token_hex(8)]


def by_shard(pool: Pool, function: Callable[[Pool], Any], *, label: str, ending: str = ".arrow") -> list[Any]:
    """Apply a function to a pool shard by shard, each a pool of its own with rows from 0.

    Parameters
    ----------
    pool
        n samples, at the stage that the function belongs to.
    function
        Importable; pool to table or array, row by row independent. It sees what was read, and no labels.
    label
        Name of the stage on the progress bar.
    ending
        ``".arrow"`` if it makes tables, ``".npy"`` if it makes arrays.

    Returns
    -------
    list
        What it made of each shard, mapped from disk for a pool that lies there.
    """
    shards = pool.checkpoint.shards
    if shards is None:
        return [function(part) for part in pool.slices()]
    return by_task(pool, partial(_on_shard, function, shards.store), shards.names, label=label, ending=ending)


def by_task(
    pool: Pool, function: Callable[[Any], Made], tasks: Sequence[Any], *, label: str, ending: str = ".npy"
) -> list[Any]:
    """Apply a function to tasks, and keep what it makes of each; what is there already is not made again."""
    shards, folder = pool.checkpoint.shards, pool.checkpoint.folder
    if shards is None:
        return [function(task) for task in tasks]
    store, names = shards.store, [f"{folder}/{number:05}{ending}" for number in range(len(tasks))]
    todo = [(name, task) for name, task in zip(names, tasks, strict=True) if not store.has(name)]
    spread(partial(_keep, function, store), todo, label=label)
    return [_load(store.get(name)) for name in names]


def whole(pool: Pool, name: str, make: Callable[[], Made]) -> Any:
    """Make one artefact of the stage, unless it is there already; an array is mapped from disk."""
    shards = pool.checkpoint.shards
    if shards is None:
        return make()
    store, file = shards.store, f"{pool.checkpoint.folder}/{name}"
    if not store.has(file):
        _keep(lambda _: make(), store, (file, None))
    return _load(store.get(file))


def matrix(pool: Pool, make: Callable[[], Sequence[NDArray[Any]]]) -> NDArray[Any]:
    """Put the arrays that `by_shard` makes one below the other, in one file that is read where it is touched."""
    shards = pool.checkpoint.shards
    if shards is None:
        return np.concatenate(make())
    store, folder = shards.store, pool.checkpoint.folder
    file = f"{folder}/matrix.npy"
    if not store.has(file):
        blocks = make()
        shape = (sum(len(block) for block in blocks), *blocks[0].shape[1:])
        header = {"descr": np.lib.format.dtype_to_descr(blocks[0].dtype), "fortran_order": False, "shape": shape}
        with store.writing(file) as out:
            np.lib.format.write_array_header_1_0(out, header)
            for block in blocks:
                out.write(np.ascontiguousarray(block).data)
        for number in range(len(blocks)):
            store.remove(f"{folder}/{number:05}.npy")
    return np.asanyarray(_load(store.get(file)))


def _on_shard(function: Callable[[Pool], Any], store: Store, name: str) -> Any:
    """Apply a function to a shard that lies on disk."""
    return function(Pool.of_shard(store, name))


def _keep(function: Callable[[Any], Made], store: Store, task: tuple[str, Any]) -> None:
    """Apply a function to a task and write what it makes."""
    name, given = task
    made = function(given)
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
