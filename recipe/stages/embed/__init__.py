"""Vectors of every sample. Each file: pool -> (n, d) float32 unit rows; with `encode`, shard by shard on all cores."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.registry import call, home
from recipe.data.vectors import check_vectors
from recipe.engine import single_threaded
from recipe.stages import checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.io.cache import Store

    Embedder = str | Callable[..., Any]


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Attach the vectors, as float16, unless the pool has some: shard by shard if the embedder can, else at once."""
    if pool.vectors is not None:
        return pool
    step = plan.embed
    pool = checkpoint.enter(pool, "embed", step, seed=plan.seed)
    embedder = home("embed", step.name)
    if not hasattr(embedder, "encode"):

        def embed() -> Sequence[NDArray[np.float16]]:
            return [np.asarray(call("embed", step, pool, seed=plan.seed), dtype=np.float16)]

        return replace(pool, vectors=checkpoint.matrix(pool, embed))
    knobs = {"seed": plan.seed, **step.knobs}
    learned = _learned(embedder, pool, knobs) if hasattr(embedder, "fit") else {}

    def encode() -> Sequence[NDArray[np.float16]]:
        shards = pool.checkpoint.shards
        files = learned if shards is None else [f"{pool.checkpoint.folder}/learned/{name}.npy" for name in learned]
        function = partial(_encode, step.name, knobs, files, shards.store if shards else None)
        return checkpoint.by_shard(pool, function, label="embed", ending=".npy")

    fidelity = embedder.report(learned) if hasattr(embedder, "report") else {}
    known = replace(pool.checkpoint, fidelity=fidelity)
    return replace(pool, vectors=checkpoint.matrix(pool, encode), checkpoint=known)


@single_threaded
def _learned(embedder: Any, pool: Pool, knobs: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Return what the embedder learns from the whole pool, as named arrays."""
    if pool.checkpoint.shards is None:
        learned: dict[str, NDArray[Any]] = embedder.fit(pool, **knobs)
        return learned
    store, folder = pool.checkpoint.shards.store, pool.checkpoint.folder
    names = f"{folder}/learned.json"
    if not store.has(names):
        made = embedder.fit(pool, **knobs)
        for name, array in made.items():
            checkpoint.whole(pool, f"learned/{name}.npy", partial(np.asarray, array))
        store.put_json(names, sorted(made))
    return _loaded(store, tuple(f"{folder}/learned/{name}.npy" for name in store.get_json(names)))


def _encode(
    embedder: Embedder, knobs: dict[str, Any], learned: Any, store: Store | None, shard: Pool
) -> NDArray[np.float16]:
    """Embed a shard; with a store, `learned` are the names of files in it."""
    known = learned if store is None else _loaded(store, tuple(learned))
    vectors = home("embed", embedder).encode(shard, known, **knobs)
    check_vectors(vectors, len(shard))
    return np.asarray(vectors, dtype=np.float16)


@lru_cache(maxsize=1)
def _loaded(store: Store, files: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Memory-map the learned arrays, once in each process."""
    return {PurePosixPath(file).stem: np.load(store.get(file), mmap_mode="r", allow_pickle=False) for file in files}
