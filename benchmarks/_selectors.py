"""The contestants of `bench_select.py`: ours and the peers, each a function that prepares and returns what is timed."""

from __future__ import annotations

import inspect
from heapq import heapify, heapreplace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Run = Callable[[], NDArray[np.integer]]

NEIGHBOURS = 64  # of the graph
KMEANS_ROUNDS = 20
SAMPLE = 256  # points a centroid that k-means looks at


class Contestant(NamedTuple):
    """One way to pick k of n rows."""

    name: str
    prepare: Callable[[Vectors, int, int], Run]
    """(vectors, k, seed) -> what is timed; imports here, and warms up on a few rows."""
    package: str = "recipe"
    square_bytes: int = 0
    """Bytes that it needs for each of n * n similarities."""


def ours(selector: str, *, clusters: bool, **knobs: Any) -> Callable[[Vectors, int, int], Run]:
    """Call one of our selectors as `select_mix` does, on one cell; k-means is timed with it where it is needed."""

    def prepare(vectors: Vectors, k: int, seed: int) -> Run:
        from recipe.config.registry import find

        select, cluster = find("select", selector), find("cluster", "kmeans")
        whole = inspect.signature(select).parameters["block"].default if clusters else 0  # solved without clusters

        def run(vectors: Vectors, pool: Any, quotas: Any) -> NDArray[np.integer]:
            if clusters and len(vectors) > whole:
                import polars as pl

                pool = pool.with_labels(pl.DataFrame({"cluster": cluster(vectors, seed=seed)}))
            picks: NDArray[np.integer] = select(pool, quotas, seed=seed, **knobs).rows
            return picks

        few = vectors[: whole + 500, :32]  # more than one block, so that everything is compiled
        few = few / np.linalg.norm(few, axis=1, keepdims=True)
        run(few, *_pool(few, len(few) // 20))
        pool, quotas = _pool(vectors, k)
        return lambda: run(vectors, pool, quotas)

    return prepare


def has_knob(selector: str, knob: str) -> bool:
    """Return whether one of our selectors has a knob."""
    from recipe.config.registry import find

    return knob in inspect.signature(find("select", selector)).parameters


def _pool(vectors: Vectors, k: int) -> tuple[Any, Any]:
    """Build a pool of these vectors, and quotas of one cell."""
    import polars as pl

    from recipe.data.pool import SCHEMA, Pool
    from recipe.data.quotas import Quotas

    n = len(vectors)
    number = pl.int_range(n, dtype=pl.UInt32)
    known = dict.fromkeys(("row", "record", "order"), number)
    known["key"] = number.cast(pl.String).str.zfill(10)
    rows = pl.select(
        **{name: known.get(name, pl.repeat(None, n, dtype=dtype)) for name, dtype in SCHEMA.items()},
        cluster=pl.repeat(0, n, dtype=pl.Int32),
    )
    one = np.zeros(1, np.int32)
    image = np.arange(n, dtype=np.int32)
    quotas = Quotas(np.zeros(n, np.int32), np.array([k], np.int64), one, one.astype(bool), image, None, pl.DataFrame())
    return Pool(rows, vectors), quotas


def similarities(vectors: Vectors) -> Vectors:
    """Return the n x n matrix of cosines, negative ones as 0, as our selectors see them."""
    square = vectors @ vectors.T
    return np.clip(square, 0, 1, out=square)


def apricot_lazy(vectors: Vectors, k: int, seed: int) -> Run:
    """Run apricot's lazy greedy on precomputed similarities."""
    from apricot import FacilityLocationSelection

    def run(vectors: Vectors, k: int) -> NDArray[np.integer]:
        lazy = FacilityLocationSelection(k, metric="precomputed", optimizer="lazy", random_state=seed)
        ranking: NDArray[np.integer] = lazy.fit(similarities(vectors)).ranking
        return ranking

    run(vectors[:200], 20)
    return lambda: run(vectors, k)


def submodlib(optimizer: str) -> Callable[[Vectors, int, int], Run]:
    """Run one of submodlib's optimizers on precomputed similarities."""

    def prepare(vectors: Vectors, k: int, seed: int) -> Run:  # noqa: ARG001  submodlib has its own randomness
        from submodlib import FacilityLocationFunction

        def run(vectors: Vectors, k: int) -> NDArray[np.integer]:
            square = similarities(vectors)
            function = FacilityLocationFunction(n=len(vectors), mode="dense", sijs=square, separate_rep=False)
            quiet = {"stopIfZeroGain": False, "stopIfNegativeGain": False, "verbose": False, "show_progress": False}
            return np.array([row for row, _ in function.maximize(budget=k, optimizer=optimizer, **quiet)])

        run(vectors[:200], 20)
        return lambda: run(vectors, k)

    return prepare


def fasterpam(vectors: Vectors, k: int, seed: int) -> Run:
    """Run FasterPAM from random medoids on precomputed distances."""
    import kmedoids

    def run(vectors: Vectors, k: int) -> NDArray[np.integer]:
        distance = similarities(vectors)
        np.subtract(1, distance, out=distance)
        return np.asarray(kmedoids.fasterpam(distance, k, random_state=seed).medoids, dtype=np.int64)

    run(vectors[:200], 20)
    return lambda: run(vectors, k)


def kmeans_medoids(vectors: Vectors, k: int, seed: int) -> Run:
    """Run faiss k-means with k centroids, and take the sample nearest to each; one nearest to two counts once."""
    import faiss

    def run() -> NDArray[np.integer]:
        trainer = faiss.Kmeans(
            vectors.shape[1],
            k,
            niter=KMEANS_ROUNDS,
            seed=seed,
            spherical=True,
            max_points_per_centroid=SAMPLE,
            min_points_per_centroid=1,
        )
        trainer.train(vectors)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        return np.unique(index.search(trainer.centroids, 1)[1][:, 0])

    return run


def graph_greedy(vectors: Vectors, k: int, seed: int) -> Run:  # noqa: ARG001  greedy needs no seed
    """Run lazy greedy over all samples at once, on their exact nearest neighbours."""
    import faiss
    from scipy.sparse import csr_array

    def run() -> NDArray[np.integer]:
        n = len(vectors)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        cosine, neighbour = index.search(vectors, min(NEIGHBOURS, n))
        starts = np.arange(n + 1) * neighbour.shape[1]
        covers = csr_array((cosine.clip(0).ravel(), neighbour.ravel(), starts), shape=(n, n)).T.tocsr()
        return lazy_greedy(covers.indptr, covers.indices, covers.data, k)

    return run


def lazy_greedy(
    indptr: NDArray[np.integer], indices: NDArray[np.integer], data: Vectors, k: int
) -> NDArray[np.integer]:
    """Pick k rows of a sparse matrix by Minoux's lazy greedy: row j has what candidate j covers, and how well."""
    best = np.zeros(len(indptr) - 1, dtype=np.float32)
    sums = np.add.reduceat(data, indptr[:-1].clip(max=len(data) - 1)) * (np.diff(indptr) > 0)
    heap = [(-float(gain), j, 0) for j, gain in enumerate(sums)]
    heapify(heap)
    picks: list[int] = []
    while len(picks) < k:
        _, j, seen = heap[0]
        part = slice(indptr[j], indptr[j + 1])
        if seen == len(picks):
            picks.append(j)
            best[indices[part]] = np.maximum(best[indices[part]], data[part])
            heapreplace(heap, (np.inf, j, -1))
        else:
            gain = np.maximum(data[part] - best[indices[part]], 0).sum()
            heapreplace(heap, (-float(gain), j, len(picks)))
    return np.array(picks)


def random_rows(vectors: Vectors, k: int, seed: int) -> Run:
    """Pick at random."""
    return lambda: np.random.default_rng(seed).choice(len(vectors), size=k, replace=False)


def contestants(*, graph: bool) -> list[Contestant]:
    """Return the contestants, ours first."""
    plain = {"concepts": 0.0, "certificate": False}
    field = [Contestant("recipe:facility", ours("facility", clusters=True, **plain))]
    if has_knob("facility", "refine"):
        field.append(Contestant("recipe:facility refine=1", ours("facility", clusters=True, refine=1, **plain)))
    field += [
        Contestant("recipe:kcenter", ours("kcenter", clusters=True)),
        Contestant("recipe:random", ours("random", clusters=False)),
        Contestant("apricot lazy", apricot_lazy, "apricot-select", 16),
        Contestant("submodlib LazyGreedy", submodlib("LazyGreedy"), "submodlib-py", 16),
        Contestant("submodlib LazierThanLazyGreedy", submodlib("LazierThanLazyGreedy"), "submodlib-py", 16),
        Contestant("kmedoids FasterPAM", fasterpam, "kmedoids", 8),
        Contestant("faiss k-means medoids", kmeans_medoids, "faiss-cpu"),
        Contestant("random", random_rows, "numpy"),
    ]
    if graph:
        field.append(Contestant(f"{NEIGHBOURS}-NN graph, global lazy greedy", graph_greedy, "faiss-cpu"))
    return field
