"""What is known of each sample by itself and its company: labels, problems, vector, cluster."""

from __future__ import annotations

from functools import lru_cache, partial
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from recipe.config.registry import call, find
from recipe.config.step import Step
from recipe.data.pool import PART, Pool
from recipe.data.prompts import FORMAT_PROMPTS
from recipe.data.vectors import check_vectors, release
from recipe.engine import single_threaded
from recipe.engine.timing import stage
from recipe.engine.workers import dismiss
from recipe.stages.checkpoint import Trail
from recipe.stages.tag import concepts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Parts
    from recipe.io.cache import Store


TAGGERS = ("answer", "task", "dataset", "trouble")  # what each sample is asked by itself; concepts need a list as well


class Labelled(NamedTuple):
    """A pool of which all is known that does not hang on the mix."""

    pool: Pool
    """With labels, problems, vectors and the column `cluster`."""
    trail: Trail
    """Where it stands, for what depends on all of it."""
    fidelity: dict[str, float]
    """What the embedder says of itself, if it says anything."""


def label_pool(pool: Pool, plan: Recipe) -> Labelled:
    """Tag, refuse leaks and duplicates, embed and cluster, on all cores and part by part where the pool lies in files.

    Parameters
    ----------
    pool
        n samples.
    plan
        The whole recipe.

    Returns
    -------
    Labelled
        The pool, its trail, and what the embedder says of itself.
    """
    trail = Trail.of(pool)
    with stage("tag"):
        pool, trail = _tagged(pool, plan, trail)
    if plan.exclude.images or plan.exclude.questions:
        with stage("exclude"):
            pool, trail = _excluded(pool, plan, trail)
    with stage("dedup"):
        pool, trail = refuse_twins(pool, plan, trail)
    fidelity: dict[str, float] = {}
    if pool.vectors is None:
        with stage("embed"):
            pool, trail, fidelity = _embedded(pool, plan, trail)
    dismiss()
    pool, trail = cluster_pool(pool, plan, trail)
    pool, trail = refuse_alike(pool, plan, trail)
    return Labelled(pool, trail, fidelity)


def _tagged(pool: Pool, plan: Recipe, trail: Trail) -> tuple[Pool, Trail]:
    """Attach the labels that each sample has by itself, and refuse those in trouble."""
    known = concepts.keywords_of(plan.tag.concepts)
    if plan.tag.min_frequency:
        trail = trail.to("keywords", known=known.to_dicts())
        counts = trail.by_part(pool, partial(concepts.count, known=known), label="tag: keywords")
        known = concepts.frequent(known, counts, plan.tag.min_frequency, len(pool))
    trail = trail.to("tag", taggers=TAGGERS, known=known.to_dicts())
    labels = pl.concat(trail.by_part(pool, partial(_tags, known=known), label="tag"), rechunk=False)
    return pool.refuse(labels["problem"]).with_labels(labels.drop("problem")), trail


def _tags(part: Pool, known: pl.DataFrame) -> pl.DataFrame:
    """Make all labels of a part."""
    labels: list[pl.DataFrame] = [call("tag", Step(name, {}), part) for name in TAGGERS]
    return pl.concat([*labels, concepts.say(part, known)], how="horizontal")


def _excluded(pool: Pool, plan: Recipe, trail: Trail) -> tuple[Pool, Trail]:
    """Refuse what a benchmark holds, before duplicates are: a twin of a leaked sample must not replace it."""
    from recipe.stages.exclude import find_leaks  # noqa: PLC0415  compiles

    knobs = plan.exclude.model_dump()
    trail = trail.to("exclude", Step("exclude", knobs))
    return pool.refuse(find_leaks(pool, trail, **knobs, prompts=FORMAT_PROMPTS)), trail


def refuse_twins(pool: Pool, plan: Recipe, trail: Trail) -> tuple[Pool, Trail]:
    """Refuse each duplicate, naming the key of the sample that is kept in its place."""
    if plan.dedup.exact:
        pool = _refuse(pool, call("dedup", Step("exact", {}), pool))
    trail = trail.to("dedup", exact=plan.dedup.exact)
    if plan.dedup.near is None:
        return pool, trail
    knobs = {"threshold": plan.dedup.near, "across_images": plan.dedup.across_images, "seed": plan.seed}
    trail = trail.to("near", **knobs)
    company = [np.flatnonzero(pool.eligible)] if plan.dedup.across_images else _company(pool)
    near = partial(_near, pool if trail.parts is None else trail.parts, knobs)
    keeper = np.arange(len(pool))
    for twins in trail.by_shard(near, company, label="dedup: near"):
        keeper[twins[0]] = twins[1]
    return _refuse(pool, keeper), trail


def _company(pool: Pool) -> list[NDArray[np.int64]]:
    """Cut the eligible samples that share their image with others into groups of whole images, of a part's size."""
    rows = pool.rows.select("row", pl.col("image").fill_null("")).filter(pool.eligible)
    crowded = rows.filter(pl.len().over("image") > 1).sort("image", "row")
    ends = np.flatnonzero((crowded["image"] != crowded["image"].shift(-1)).fill_null(value=True).to_numpy()) + 1
    cuts = ends[np.unique(np.searchsorted(ends, np.arange(PART, len(crowded), PART)))]
    groups = np.split(crowded["row"].to_numpy().astype(np.int64), cuts)
    return [np.sort(group) for group in groups if len(group)]


def _near(where: Pool | Parts, knobs: dict[str, Any], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find near duplicates among some rows: (2, m) twins and their keepers."""
    table = where.rows if isinstance(where, Pool) else where.table()
    fresh = (pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.lit(None, dtype=pl.String).alias("problem"))
    keeper = find("dedup", "near")(Pool(table[rows].with_columns(fresh)), **knobs)
    twins = np.flatnonzero(keeper != np.arange(len(keeper)))
    return np.stack([rows[twins], rows[keeper[twins]]])


def _refuse(pool: Pool, keeper: NDArray[np.int64]) -> Pool:
    """Refuse each row that has another for its keeper."""
    twins = np.flatnonzero(keeper != np.arange(len(pool)))
    named = pl.DataFrame({"row": twins, "problem": "dup:" + pool.rows["key"].gather(keeper[twins])})
    rows = pool.rows.select("row").join(named.cast({"row": pl.UInt32}), on="row", how="left", maintain_order="left")
    return pool.refuse(rows["problem"])


def _embedded(pool: Pool, plan: Recipe, trail: Trail) -> Labelled:
    """Attach the vectors, as float16: part by part if the embedder can, else as a whole."""
    step = plan.embed
    trail = trail.to("embed", step, seed=plan.seed)
    name = step.name if isinstance(step.name, str) else ""
    room: Any = import_module(f"recipe.stages.embed.{name}") if name else None
    if not hasattr(room, "encode"):

        def make() -> Sequence[NDArray[np.float16]]:
            return [np.asarray(call("embed", step, pool, seed=plan.seed), dtype=np.float16)]

        return Labelled(pool.with_vectors(trail.matrix(make)), trail, {})
    knobs = {"seed": plan.seed, **step.knobs}
    learned = _learned(room, pool, knobs, trail)

    def encode() -> Sequence[NDArray[np.float16]]:
        parts = trail.parts
        files = learned if parts is None else [f"{trail.folder}/learned/{name}.npy" for name in learned]
        function = partial(_encode, name, knobs, files, parts.store if parts else None)
        return trail.by_part(pool, function, label="embed", ending=".npy")

    fidelity = room.report(learned) if hasattr(room, "report") else {}
    return Labelled(pool.with_vectors(trail.matrix(encode)), trail, fidelity)


def cluster_pool(pool: Pool, plan: Recipe, trail: Trail) -> tuple[Pool, Trail]:
    """Attach the column `cluster`."""
    with stage("cluster"):
        trail = trail.to("cluster", plan.cluster, seed=plan.seed)
        vectors = pool.vectors
        cluster = trail.whole("cluster.npy", lambda: call("cluster", plan.cluster, vectors, seed=plan.seed))
        release(vectors)
        return pool.with_labels(pl.DataFrame({"cluster": np.array(cluster)})), trail


def refuse_alike(pool: Pool, plan: Recipe, trail: Trail) -> tuple[Pool, Trail]:
    """Refuse each sample whose vector nearly is that of one kept in its cluster, if the recipe asks for it."""
    if plan.dedup.semantic is None:
        return pool, trail
    with stage("semantic"):
        step = Step("semantic", {"threshold": plan.dedup.semantic})
        trail = trail.to("semantic", step)
        keeper = trail.whole("keeper.npy", lambda: call("dedup", step, pool))
        release(pool.vectors)
        return _refuse(pool, np.array(keeper)), trail


@single_threaded
def _learned(room: Any, pool: Pool, knobs: dict[str, Any], trail: Trail) -> dict[str, NDArray[Any]]:
    """Learn what the embedder must know of the whole pool, as named arrays."""
    if trail.parts is None:
        learned: dict[str, NDArray[Any]] = room.fit(pool, **knobs)
        return learned
    store, names = trail.parts.store, f"{trail.folder}/learned.json"
    if not store.has(names):
        made = room.fit(pool, **knobs)
        for name, array in made.items():
            trail.whole(f"learned/{name}.npy", partial(np.asarray, array))
        store.put_json(names, sorted(made))
    return _loaded(store, tuple(f"{trail.folder}/learned/{name}.npy" for name in store.get_json(names)))


def _encode(embedder: str, knobs: dict[str, Any], learned: Any, store: Store | None, part: Pool) -> NDArray[np.float16]:
    """Embed a part; what was learned is named by files where the part is."""
    known = learned if store is None else _loaded(store, tuple(learned))
    vectors = import_module(f"recipe.stages.embed.{embedder}").encode(part.texts, known, **knobs)
    check_vectors(vectors, len(part))
    return np.asarray(vectors, dtype=np.float16)


@lru_cache(maxsize=1)
def _loaded(store: Store, files: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Map learned arrays, once in each process."""
    return {PurePosixPath(file).stem: np.load(store.get(file), mmap_mode="r", allow_pickle=False) for file in files}
