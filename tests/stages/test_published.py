"""Published recipes: each part against a naive loop over its formula, and what is worked by hand."""

from __future__ import annotations

from itertools import pairwise
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from strategies import pool_of, unit_rows

from recipe import demo_pool, engine, open_mix, select_mix
from recipe.config.registry import find
from recipe.data import neighbours
from recipe.data.vectors import rows_of, unit
from recipe.demo import write_demo
from recipe.errors import ConfigError
from recipe.stages.balance import Groups, coincide, dbp, hierarchical
from recipe.stages.cluster.kmeans import cluster
from recipe.stages.dedup import semantic
from recipe.stages.score import distance, uniqueness

PRESETS = ["coincide", "kmq", "deita", "semdedup", "dbp", "hierarchical", "flan-capped", "cambrian-caps"]


def groups_of(sizes, *, seed=0, d=5):
    """Place samples of each value around a middle of its own."""
    rng = np.random.default_rng(seed)
    middles = np.repeat(rng.normal(size=(len(sizes), d)), sizes, axis=0)
    points = middles + 0.5 * rng.normal(size=middles.shape)
    return Groups(unit(points), np.split(np.arange(len(points)), np.cumsum(sizes)[:-1]))


def centroids_of(groups):
    """Return the unit mean of each value, rounded as vectors are."""
    return [unit(groups.vectors[rows].astype(float).mean(axis=0, keepdims=True))[0] for rows in groups.members]


# COINCIDE


@pytest.mark.parametrize("seed", range(3))
def test_coincide_is_its_formula(seed):
    """Shares go as exp(S / tau D), with the kernel summed pair by pair and centroids compared one by one."""
    groups = groups_of([1, 2, 5, 9, 30], seed=seed, d=3)
    middle = centroids_of(groups)
    shares = []
    for i, rows in enumerate(groups.members):
        points = groups.vectors[rows].astype(float)
        near = [1 if i == j else exp(float(x @ y) - 1) for i, x in enumerate(points) for j, y in enumerate(points)]
        others = [float(middle[i] @ other) for j, other in enumerate(middle) if j != i]
        far = [cosine for cosine in others if cosine <= 0.9]
        shares.append(exp((sum(far) / max(1, len(far))) / (0.5 * sum(near) / len(near))))
    counts = np.array([len(rows) for rows in groups.members])
    share = coincide.weights(counts, groups=groups, tau=0.5)
    assert share / share.sum() == pytest.approx(np.array(shares) / sum(shares), rel=1e-4)


def test_coincide_leaves_out_near_centroids():
    """Of three centroids the first two are one: each compares with the third only, the third with both."""
    vectors = np.array([[1, 0], [1, 0], [0.6, 0.8]], dtype=np.float32)
    groups = Groups(vectors, [np.array([0]), np.array([1]), np.array([2])])
    assert coincide.transferability(groups) == pytest.approx([round(0.6 * 2**11) / 2**11] * 3)
    assert coincide.transferability(Groups(vectors[:2], groups.members[:2])).tolist() == [0, 0]


def test_coincide_takes_large_clusters_by_a_sample():
    """The density of a cluster from a tenth of its samples is that of all within a few percent."""
    groups = groups_of([3000, 3000, 500])
    counts = np.array([3000, 3000, 500])
    few, all_of_them = (coincide.weights(counts, groups=groups, tau=1, pairs=pairs) for pairs in (300, 3000))
    assert few / few.sum() == pytest.approx(all_of_them / all_of_them.sum(), rel=0.05)


def test_coincide_gives_on_what_a_cluster_lacks():
    """Where the cluster with nearly all of the share has 3 samples, the other 17 of 20 come from the other one."""
    vectors = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    groups = Groups(vectors, [np.array([0, 1]), np.array([2, 3])])
    assert coincide.balance(np.array([50, 3]), 20, groups=groups).tolist() == [17, 3]


@pytest.mark.parametrize("rule", [coincide, dbp, hierarchical])
def test_values_without_samples_get_nothing(rule):
    """A value that has no sample, or none left, is neither given any nor in the way of the others."""
    groups = groups_of([4, 0, 6])
    assert rule.balance(np.array([4, 0, 6]), 10, groups=groups).tolist() == [4, 0, 6]
    assert rule.weights(np.array([4, 0, 6]), groups=groups)[1] == 0
    empty = Groups(groups.vectors[:0], [np.arange(0)])
    assert rule.balance(np.array([0]), 0, groups=empty).tolist() == [0]


# density-based pruning


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 40), st.integers(0, 6), st.integers(0, 25)), min_size=1, max_size=7),
    st.data(),
)
def test_the_quadratic_program_is_solved(cells, data):
    """The point between the bounds with the right sum is the one that a general solver finds nearest."""
    wanted, low, room = (np.array(column) for column in zip(*cells, strict=True))
    high = low + room
    total = data.draw(st.integers(int(low.sum()), int(high.sum())))
    found = dbp.project(wanted, low, high, total)
    assert found.sum() == pytest.approx(total, abs=1e-6)
    assert (found >= low - 1e-9).all()
    assert (found <= high + 1e-9).all()
    oracle = minimize(
        lambda x: ((x - wanted) ** 2).sum(),
        np.clip(wanted, low, high),
        jac=lambda x: 2 * (x - wanted),
        method="SLSQP",
        bounds=list(zip(low, high, strict=True)),
        constraints={"type": "eq", "fun": lambda x: x.sum() - total, "jac": np.ones_like},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    if oracle.success:
        assert ((found - wanted) ** 2).sum() <= oracle.fun + 1e-4 * (1 + oracle.fun)
        assert found == pytest.approx(oracle.x, abs=1e-2)


@pytest.mark.parametrize("near", [1, 2, 50])
def test_complexity_is_its_formula(near):
    """Each cluster's mean distance to the nearest other centroids, times that of its samples to its own."""
    groups = groups_of([3, 1, 8, 20])
    middle = centroids_of(groups)
    expected = []
    for i, rows in enumerate(groups.members):
        inter = sorted(1 - float(middle[i] @ other) for j, other in enumerate(middle) if j != i)[:near]
        mean = groups.vectors[rows].astype(float).mean(axis=0)
        intra = [1 - float(groups.vectors[row] @ mean) / np.linalg.norm(mean) for row in rows]
        expected.append(np.mean(inter) * np.mean(intra))
    assert dbp.complexity(groups, near) == pytest.approx(expected, abs=1e-5)


def test_dbp_by_hand():
    """Three clusters with samples alone get equal shares of 12; the one that has 2 gives them, the others 5 each."""
    vectors = np.eye(3, dtype=np.float32)
    groups = Groups(vectors, [np.array([0]), np.array([1]), np.array([2])])
    assert dbp.balance(np.array([2, 9, 9]), 12, groups=groups).tolist() == [2, 5, 5]


def test_dbp_gives_each_cluster_its_least():
    """At a low temperature the share of the tight cluster is nearly 0, and it gets the minimum instead."""
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    groups = Groups(vectors, [np.array([0, 1]), np.array([2, 3])])
    for least, given_to_the_first in ((0.0, 1), (0.5, 5), (1.0, 10)):
        quota = dbp.balance(np.array([50, 50]), 20, groups=groups, tau=0.01, least=least)
        assert quota.tolist() == [given_to_the_first, 20 - given_to_the_first]


# hierarchical clusters


def test_a_total_is_divided_down_by_hand():
    """Of 24, each of two themes gets 12: the first has 1 + 2 + 50, so 1, 2 and 9; the second one leaf, 12.

    Were the second to have 5 only, the first would get 19: 1, 2 and 16.
    """
    parents = [np.array([0, 0, 0, 1]), np.array([0, 0])]
    share = find("balance", "even")
    assert hierarchical.divide_down(parents, np.array([1, 2, 50, 40]), 24, share).tolist() == [1, 2, 9, 12]
    assert hierarchical.divide_down(parents, np.array([1, 2, 50, 5]), 24, share).tolist() == [1, 2, 16, 5]


def test_themes_are_found_and_shared_evenly():
    """Nine clusters about one direction and one about another are two themes, which get half each."""
    rng = np.random.default_rng(0)
    points = np.concatenate([np.eye(8)[0] + 0.05 * rng.normal(size=(9, 8)), np.eye(8)[1:2]])
    vectors = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    groups = Groups(vectors, [np.array([row]) for row in range(10)])
    counts = np.full(10, 100)
    assert hierarchical.balance(counts, 90, groups=groups, levels=2, branch=5).tolist() == [5] * 9 + [45]
    assert hierarchical.weights(counts, groups=groups, levels=2, branch=5) == pytest.approx([1 / 18] * 9 + [1 / 2])
    assert hierarchical.balance(counts, 90, groups=groups, levels=1).tolist() == [9] * 10


@settings(max_examples=30)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=40).filter(sum), st.integers(1, 4), st.data())
def test_every_level_is_shared_within_its_supply(counts, levels, data):
    """What a node's children get sums to what it got, and the total is exact, for trees of any depth."""
    counts = np.array(counts)
    size = data.draw(st.integers(1, int(counts.sum())))
    groups = groups_of(np.minimum(counts, 2))
    parents = hierarchical.tree(groups, levels=levels, branch=3, seed=0)
    got = hierarchical.balance(counts, size, groups=groups, levels=levels, branch=3)
    assert got.sum() == size
    assert (got <= counts).all()
    assert len(parents) <= levels
    # an even split of two children that both could give more differs by one at most
    for parent in parents[:1]:
        open_to_more = got < counts
        for node in np.unique(parent):
            those = got[(parent == node) & open_to_more]
            assert those.size == 0 or those.max() - those.min() <= 1


# SemDeDup


def scattered(seed, n=40, clusters=3):
    """A pool of samples near each other, in clusters, with some problems and one cluster of one sample."""
    vectors, label = unit_rows(seed, n, 4, clusters=clusters)
    label[0] = 99
    problem = [None if draw < 0.85 else "L06" for draw in np.random.default_rng(seed).random(n)]
    return pool_of(n, vectors=vectors, cluster=label.tolist(), problem=problem)


def members_of(pool):
    """List the eligible rows of each cluster."""
    label = pool.rows["cluster"].to_list()
    rows = np.flatnonzero(pool.eligible).tolist()
    return [[row for row in rows if label[row] == one] for one in sorted({label[row] for row in rows})]


@pytest.mark.parametrize("keep", ["hard", "easy"])
@pytest.mark.parametrize("seed", range(3))
def test_uniqueness_is_the_pairwise_loop(keep, seed, monkeypatch):
    """Each sample against each before it, sorted by distance to the centroid, in tiles of three."""
    monkeypatch.setattr(neighbours, "TILE", 3)
    pool = scattered(seed)
    values = uniqueness.score(pool, keep=keep)
    for rows in members_of(pool):
        points = pool.vectors.astype(float)
        middle = points[rows].mean(axis=0)
        order = sorted(rows, key=lambda row: (float(points[row] @ middle) * (1 if keep == "hard" else -1), row))
        points = points / np.linalg.norm(points, axis=1, keepdims=True)  # cosines are of rows as they are rounded
        for at, row in enumerate(order):
            nearest = max([0.0, *(float(points[row] @ points[other]) for other in order[:at])])
            assert values[row] == pytest.approx(1 - nearest, abs=1e-5)


def test_what_is_unique_enough_is_what_semdedup_keeps():
    """The samples above a threshold are those that a loop keeps which drops whatever is near an earlier one."""
    pool = scattered(0, n=60)
    values = uniqueness.score(pool)
    for size in (5, 20, 35):
        order = np.argsort(-values, kind="stable")
        epsilon = values[order[size]]
        assert set(order[:size].tolist()) == {row for row in np.flatnonzero(pool.eligible) if values[row] > epsilon}


def test_random_order_decides_what_is_kept_and_seeds_differ():
    """In random order the first of two copies is unique and the other is not; the seed decides which is first."""
    pool = pool_of(2, vectors=np.ones((2, 1), np.float32), cluster=[0, 0])
    drawn = {tuple(uniqueness.score(pool, keep="random", seed=seed).tolist()) for seed in range(20)}
    assert drawn == {(1.0, 0.0), (0.0, 1.0)}


CHAIN = np.array([[1, 0], [0.8, 0.6], [0.28, 0.96]], dtype=np.float32)  # neighbours at 0.8, the ends at 0.28


def test_a_chain_shrinks_to_its_ends_not_to_its_first():
    """Samples are dropped only for a kept one: the middle for the first, while the last, unlike the first, stays."""
    pool = pool_of(3, vectors=CHAIN, cluster=[0] * 3)
    assert semantic.dedup(pool, threshold=0.75).tolist() == [0, 0, 2]
    points = rows_of(CHAIN, slice(None)) / np.linalg.norm(rows_of(CHAIN, slice(None)), axis=1, keepdims=True)
    nearest = [0, points[0] @ points[1], points[1] @ points[2]]
    assert neighbours.nearest_earlier(CHAIN, np.arange(3)) == pytest.approx(nearest)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.floats(0.3, 1.0), st.sampled_from([1, 3, 1024]))
def test_semantic_duplicates_are_a_sequential_loop(seed, threshold, tile):
    """In key order each eligible sample is dropped for the first kept one near enough, for any tile size."""
    pool = scattered(seed)
    keeper = list(range(len(pool)))
    points = rows_of(pool.vectors, slice(None)).astype(np.float64)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for rows in members_of(pool):
        kept = []
        for row in rows:
            near = [other for other in kept if points[row] @ points[other] >= threshold - neighbours.ROUNDING]
            if near:
                keeper[row] = near[0]
            else:
                kept.append(row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "TILE", tile)
        assert semantic.dedup(pool, threshold=threshold).tolist() == keeper


def test_half_precision_copies_are_duplicates_at_one():
    """Copies are found at a threshold of 1, though their float16 rows are not of unit length."""
    vectors, _ = unit_rows(0, 20, 7)
    half = np.repeat(vectors, 2, axis=0).astype(np.float16)
    pool = pool_of(40, vectors=half, cluster=[0] * 40)
    assert semantic.dedup(pool, threshold=1).tolist() == (np.arange(40) // 2 * 2).tolist()


def test_a_very_large_cluster_is_cut():
    """Above a block's size neighbours are searched inside blocks: copies are still found, every row has a keeper."""
    vectors, _ = unit_rows(0, 100, 4)
    pool = pool_of(300, vectors=np.repeat(vectors, 3, axis=0), cluster=[0] * 300)
    keeper = semantic.dedup(pool, threshold=0.9999, block=60)
    assert (keeper[keeper] == keeper).all()
    assert 100 <= len(np.unique(keeper)) <= 110
    assert ((uniqueness.score(pool, block=60) < 1e-3).sum()) >= 190


@pytest.mark.parametrize("cache", [False, True])
def test_a_recipe_refuses_semantic_duplicates(cache, tmp_path):
    """If a recipe asks for it, each duplicate names the key of an eligible sample of its cluster that is near."""
    write_demo(tmp_path / "demo", images=20)
    dedup = {"exact": False, "near": None, "semantic": 0.9}
    pool = select_mix(tmp_path / "demo", size=40, dedup=dedup, cache=tmp_path / "cache" if cache else None).pool
    row_of = {key: row for row, key in enumerate(pool.rows["key"].to_list())}
    named = pool.rows["problem"].fill_null("").to_list()
    cluster_of = pool.rows["cluster"].to_list()
    duplicates = [(row, row_of[code[4:]]) for row, code in enumerate(named) if code.startswith("dup:")]
    assert len(duplicates) > 10
    vectors = np.asarray(pool.vectors, dtype=np.float32)
    for row, keeper in duplicates:
        assert pool.eligible[keeper]
        assert cluster_of[row] == cluster_of[keeper]
        assert float(vectors[row] @ vectors[keeper]) > 0.9 - 1e-3


@pytest.mark.parametrize(
    ("room", "name", "knobs", "message"),
    [
        ("dedup", "semantic", {"threshold": 0}, "threshold=0"),
        ("dedup", "semantic", {"block": 1}, "block=1"),
        ("score", "uniqueness", {"keep": "best"}, "keep='best'"),
        ("score", "uniqueness", {"block": 0}, "block=0"),
        ("balance", "coincide", {"tau": 0}, "tau=0"),
        ("balance", "coincide", {"pairs": 1}, "pairs=1"),
        ("balance", "dbp", {"least": 2}, "least=2"),
        ("balance", "dbp", {"near": 0}, "near=0"),
        ("balance", "hierarchical", {"levels": 0}, "levels=0"),
        ("balance", "hierarchical", {"branch": 1}, "branch=1"),
        ("cluster", "kmeans", {"points": 0.5}, "points=0.5"),
        ("cluster", "kmeans", {"points": 5, "k": 2}, "points=5, k=2"),
    ],
)
def test_a_knob_out_of_range_is_named(room, name, knobs, message):
    """A knob out of its range raises an error with the stage and its value."""
    given_to = {
        "balance": lambda function: function(np.array([1]), 1, groups=groups_of([1]), **knobs),
        "cluster": lambda function: function(np.eye(9, dtype=np.float32), **knobs),
    }
    call = given_to.get(room, lambda function: function(scattered(0), **knobs))
    with pytest.raises(ConfigError, match=rf"^{room}.{name}: .*{message}"):
        call(find(room, name))


def test_semantic_duplicates_need_vectors_and_clusters():
    """A pool that was not embedded or clustered is refused."""
    for pool in (pool_of(1, cluster=[0]), pool_of(1, vectors=np.ones((1, 1), np.float32))):
        with pytest.raises(ConfigError, match=r"^dedup.semantic: expected a pool with vectors and clusters"):
            semantic.dedup(pool)


def test_distance_is_to_the_mean_of_the_eligible():
    """One minus the cosine to the mean of the cluster's eligible samples; 0 for a sample alone."""
    pool = scattered(1)
    values = distance.score(pool)
    for rows in members_of(pool):
        middle = pool.vectors[rows].astype(float).mean(axis=0)
        for row in rows:
            expected = 1 - float(pool.vectors[row] @ middle) / np.linalg.norm(middle)
            assert values[row] == pytest.approx(expected if len(rows) > 1 else 0, abs=1e-5)


# clusters and presets


def test_points_ask_for_clusters_by_their_size():
    """Of 400 samples at 20 a cluster come 20 clusters, at 1,000 one."""
    points, _ = unit_rows(0, 400, 8)
    assert len(np.unique(cluster(points, points=20))) == 20
    assert set(cluster(points, points=1000).tolist()) == {0}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_hits_its_size_on_any_number_of_threads(preset, monkeypatch):
    """Each published recipe gives exactly the wanted number of samples, the same on one core and on two."""
    pool = demo_pool(images=20, seed=2)
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(engine, "usable_cores", lambda workers=workers: workers)
        found.append(select_mix(pool, recipe=preset, size=101).keys)
    assert len(found[0]) == len(set(found[0])) == 101
    assert found[0] == found[1]


@pytest.mark.parametrize("preset", ["coincide", "dbp", "hierarchical"])
def test_a_mix_by_rules_that_use_vectors_opens_again(preset, tmp_path):
    """Without vectors its quotas, gaps and report are those of the mix when it was made."""
    pool = write_demo(tmp_path / "pool", images=15)
    mix = select_mix(pool, recipe=preset, size=60)
    mix.write(tmp_path / "mix.json")
    again = open_mix(tmp_path / "mix.json")
    assert again.quotas.report.equals(mix.quotas.report)
    assert (again.quotas.cell == mix.quotas.cell).all()
    assert (again.quotas.quota == mix.quotas.quota).all()
    assert again.gaps().to_json() == mix.gaps().to_json()
    assert again.report(tmp_path / "page.html").is_file()


def test_caps_mean_what_they_say():
    """With a cap, sources that reach it are equal in the mix; a smaller one keeps its share."""
    mix = select_mix(demo_pool(images=60), recipe="cambrian-caps", size=60)
    table = mix.quotas.report.sort("supply")
    supply, quota = table["supply"].to_list(), table["quota"].to_list()
    cap = 0.0357 * sum(supply)
    above = [got for available, got in zip(supply, quota, strict=True) if available >= cap]
    assert len(above) > 1
    assert max(above) - min(above) <= 1
    assert all(a <= b for a, b in pairwise(quota))
