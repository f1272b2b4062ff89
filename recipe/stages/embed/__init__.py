"""Vectors of every sample. Each file: pool -> (n, d) float32 unit rows; with `encode`, shard by shard on all cores."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.calls import call, copied, guarded
from recipe.config.code import name_of
from recipe.config.registry import home
from recipe.engine import single_threaded
from recipe.io.hashes import check_unchanged, state_of
from recipe.stages import checkpoint
from recipe.stages.embed._checks import checked, fitted, reported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.io.hashes import Seen
    from recipe.io.store import Store

    Embedder = str | Callable[..., Any]


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Attach the vectors, as float16, unless the pool has some: shard by shard if the embedder can, else at once."""
    if pool.vectors is not None:
        return pool
    step = plan.embed
    pool = checkpoint.enter(pool, "embed", step, seed=plan.seed)
    embedder, seen = home("embed", step.name), checkpoint.files_of(pool, step)
    if not hasattr(embedder, "encode"):

        def embed() -> Sequence[NDArray[np.float16]]:
            vectors = call("embed", step, pool, seed=plan.seed)
            check_unchanged(seen)
            return [checked(vectors, len(pool), step.name)]

        return replace(pool, vectors=checkpoint.matrix(pool, embed))
    knobs = {"seed": plan.seed, **step.knobs}
    learned = _learned(step.name, pool, knobs, seen) if hasattr(embedder, "fit") else {}

    def encode() -> Sequence[NDArray[np.float16]]:
        shards = pool.checkpoint.shards
        files = learned if shards is None else [f"{pool.checkpoint.folder}/learned/{name}.npy" for name in learned]
        function = partial(_encode, step.name, knobs, files, seen, shards.store if shards else None)
        return checkpoint.by_shard(pool, function, label="embed", ending=".npy")

    fidelity = reported(step.name, learned) if hasattr(embedder, "report") else {}
    known = replace(pool.checkpoint, fidelity=fidelity)
    return replace(pool, vectors=checkpoint.matrix(pool, encode), checkpoint=known)


@single_threaded
def _learned(embedder: Embedder, pool: Pool, knobs: dict[str, Any], seen: Sequence[Seen]) -> dict[str, NDArray[Any]]:
    """Return what the embedder learns from the whole pool, as named arrays."""
    if pool.checkpoint.shards is None:
        learned = fitted(embedder, pool, knobs)
        check_unchanged(seen)
        return learned
    store, folder = pool.checkpoint.shards.store, pool.checkpoint.folder
    names = f"{folder}/learned.json"
    if not store.has(names) or not all(store.has(file) for file in _files(store, folder)):
        made = fitted(embedder, pool, knobs)
        check_unchanged(seen)
        for name, array in made.items():
            checkpoint.whole(pool, f"learned/{name}.npy", partial(np.array, array))
        store.put_json(names, sorted(made))
    return _loaded(store, _states(store, _files(store, folder)))


def _files(store: Store, folder: str) -> list[str]:
    """Return the names of the files of what was learned."""
    return [f"{folder}/learned/{name}.npy" for name in store.get_json(f"{folder}/learned.json")]


def _states(store: Store, files: Sequence[str]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return names of files with their states, so that a file that was made again is loaded again."""
    return tuple((file, state_of(store.get(file))) for file in files)


def _encode(  # noqa: PLR0917  all but the shard are bound by `partial`
    embedder: Embedder, knobs: dict[str, Any], learned: Any, seen: Sequence[Seen], store: Store | None, shard: Pool
) -> NDArray[np.float16]:
    """Embed a shard; with a store, `learned` are the names of files in it."""
    known = learned if store is None else _loaded(store, _states(store, learned))
    encode = home("embed", embedder).encode
    if name_of(embedder) is None:
        vectors = encode(shard, known, **knobs)
    else:
        with guarded(embedder, "encode"):
            vectors = encode(shard.lent(), known, **copied(knobs))
    check_unchanged(seen)
    return checked(vectors, len(shard), embedder)


@lru_cache(maxsize=1)
def _loaded(store: Store, files: tuple[tuple[str, tuple[int, ...]], ...]) -> dict[str, NDArray[Any]]:
    """Memory-map the learned arrays, once in each process."""
    return {PurePosixPath(file).stem: np.load(store.get(file), mmap_mode="r", allow_pickle=False) for file, _ in files}
