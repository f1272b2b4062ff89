"""Results of stages, cached on disk under a name that is a hash of everything they depend on.

A pool carries its checkpoint. `enter` moves it to a stage; what `by_shard`, `by_task`, `whole` or `matrix` computes
there is found again by a restarted job, or by another job with the same inputs. For a pool in memory nothing is cached.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.config.code import identity
from recipe.data.pool import Pool
from recipe.engine import spread
from recipe.io.arrow import map_table, write_table
from recipe.io.hashes import see_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.config.step import Step
    from recipe.io.hashes import Seen
    from recipe.io.store import Store

    Made = pl.DataFrame | NDArray[Any]


def enter(pool: Pool, stage: str, *steps: Step, **knobs: Any) -> Pool:
    """Move a pool to a stage that has these steps and knobs.

    A function of your own is identified as `recipe.config.code.identity` says; one whose state cannot be told is
    computed again in each run, with all later stages.
    """
    pool = note_files(pool, *steps)
    shards = pool.checkpoint.shards
    if shards is None:
        return pool
    known = pool.checkpoint.files
    files = [{name: seen.sha256 for name, seen in see_files(step.knobs, known).items()} for step in steps]
    named = [[identity(step.name), step.knobs, own] for step, own in zip(steps, files, strict=True)]
    folder = shards.store.stage(stage, after=pool.checkpoint.folder, steps=named, knobs=knobs)
    return replace(pool, checkpoint=replace(pool.checkpoint, folder=folder))


def note_files(pool: Pool, *steps: Step) -> Pool:
    """Record the files that these steps name as they are now, before they are read."""
    found = {seen.path: seen for step in steps for seen in see_files(step.knobs).values()}
    return replace(pool, checkpoint=replace(pool.checkpoint, files={**pool.checkpoint.files, **found}))


def files_of(pool: Pool, *steps: Step) -> list[Seen]:
    """Return the files of some steps as they were recorded."""
    return [seen for step in steps for seen in see_files(step.knobs, pool.checkpoint.files).values()]


def by_shard(pool: Pool, function: Callable[[Pool], Any], *, label: str, ending: str = ".arrow") -> list[Any]:
    """Apply a function to a pool shard by shard, each a pool of its own with rows from 0.

    Parameters
    ----------
    pool
        n samples, at the stage that the function belongs to.
    function
        An importable function from a pool to a table or an array that treats each row by itself. It is given the
        columns that were read, without labels.
    label
        Name of the stage on the progress bar.
    ending
        ``".arrow"`` if it returns tables, ``".npy"`` if it returns arrays.

    Returns
    -------
    list
        Its result for each shard, memory-mapped if the pool is on disk.
    """
    shards = pool.checkpoint.shards
    if shards is None:
        return [function(shard) for shard in pool.slices()]
    return by_task(pool, partial(_on_shard, function, shards.store), shards.names, label=label, ending=ending)


def by_task(
    pool: Pool, function: Callable[[Any], Made], tasks: Sequence[Any], *, label: str, ending: str = ".npy"
) -> list[Any]:
    """Apply a function to tasks and cache each result; what is cached already is not computed again."""
    shards, folder = pool.checkpoint.shards, pool.checkpoint.folder
    if shards is None:
        return [function(task) for task in tasks]
    store, names = shards.store, [f"{folder}/{number:05}{ending}" for number in range(len(tasks))]
    todo = [(name, task) for name, task in zip(names, tasks, strict=True) if not store.has(name)]
    spread(partial(_keep, function, store), todo, label=label)
    return [_load(store.get(name)) for name in names]


def whole(pool: Pool, name: str, make: Callable[[], Made]) -> Any:
    """Compute one artefact of the stage, unless it is cached; an array is memory-mapped."""
    shards = pool.checkpoint.shards
    if shards is None:
        return make()
    store, file = shards.store, f"{pool.checkpoint.folder}/{name}"
    if not store.has(file):
        _keep(lambda _: make(), store, (file, None))
    return _load(store.get(file))


def matrix(pool: Pool, make: Callable[[], Sequence[NDArray[Any]]]) -> NDArray[Any]:
    """Stack the arrays that `by_shard` returns in one file, which is memory-mapped."""
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
    """Apply a function to a shard on disk."""
    return function(Pool.of_shard(store, name))


def _keep(function: Callable[[Any], Made], store: Store, task: tuple[str, Any]) -> None:
    """Apply a function to a task and write its result."""
    name, argument = task
    made = function(argument)
    with store.writing(name) as file:
        if isinstance(made, pl.DataFrame):
            write_table(made, file)
        else:
            np.save(file, made, allow_pickle=False)


def _load(path: Path) -> Made:
    """Memory-map an artefact."""
    if path.suffix == ".arrow":
        return map_table(path)
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array
