"""Scores: one contract for the whole room, and each against a naive count of what it says it is."""

from __future__ import annotations

import math
import statistics
from inspect import getdoc

import numpy as np
import pytest
from builders import make_pool
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe import demo_pool, score_pool
from recipe.config.registry import find, names
from recipe.data.pool import Pool
from recipe.data.vectors import unit, unit_rows
from recipe.errors import ConfigError
from recipe.stages.score import balance, concept_coverage, density, length, novelty
from recipe.stages.score._kernels import mean_of_largest

NEED_KNOBS = {"column", "blend"}  # cannot be called without knobs; see test_own_scores.py
ROOM = [name for name in names("score") if name not in NEED_KNOBS]
SIZE = 150


@pytest.fixture(scope="module")
def scored():
    """A demo pool with labels, problems, vectors, clusters and quotas."""
    return score_pool(demo_pool(images=20, seed=1), size=SIZE)


def clustered(n=60, clusters=4, seed=0):
    """A pool of drawn vectors and clusters, one of them of a single sample, with some problems."""
    rng = np.random.default_rng(seed)
    return make_pool(
        ["word"] * n,
        vectors=unit(rng.standard_normal((n, 6))),
        cluster=[99, *rng.integers(clusters, size=n - 1).tolist()],
        problem=[None, *("L06" if draw < 0.15 else None for draw in rng.random(n - 1))],
    )


def companions(pool):
    """Each eligible row with the other eligible rows of its cluster."""
    cluster = pool.rows["cluster"].to_list()
    rows = np.flatnonzero(pool.eligible).tolist()
    return {row: [other for other in rows if other != row and cluster[other] == cluster[row]] for row in rows}


# the room


@pytest.mark.parametrize("name", ROOM)
def test_contract(name, scored):
    """A score is one finite float32 for each sample, 0 where it may not be selected, and the same on a second call."""
    score = find("score", name)
    values = score(scored)
    assert values.shape == (len(scored),)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert not scored.eligible.all()
    assert (values[~scored.eligible] == 0).all()
    assert len(np.unique(values[scored.eligible])) > 1
    assert (values == score(scored)).all()


@pytest.mark.parametrize("name", ROOM)
def test_nothing_eligible(name, scored):
    """A pool of which nothing may be selected scores 0 everywhere, and an empty one scores nothing."""
    refused = scored.refuse(scored.rows["key"])
    assert not find("score", name)(refused).any()
    empty = Pool(scored.rows.clear(), scored.vectors[:0])
    assert find("score", name)(empty).shape == (0,)


@pytest.mark.parametrize("name", ROOM)
def test_range_is_told_and_kept(name, scored):
    """Every score stays on the range that its docstring gives."""
    ranges = [word for word in getdoc(find("score", name)).replace(";", " ").replace(":", " ").split() if ".." in word]
    low, high = (float(end) for end in ranges[0].rstrip(".").split(".."))
    values = find("score", name)(scored)[scored.eligible]
    assert low <= values.min() < values.max() <= high


@pytest.mark.parametrize("name", ["novelty", "density"])
def test_vectors_and_clusters_are_asked_for(name):
    """A pool that was not embedded or not clustered is refused by the name of the score."""
    for pool in (make_pool(["one"], cluster=[0]), make_pool(["one"], vectors=np.ones((1, 1), np.float32))):
        with pytest.raises(ConfigError, match=f"^score.{name}: expected a pool with vectors and clusters"):
            find("score", name)(pool)


# novelty and density


@pytest.mark.parametrize("neighbours", [1, 3, 10, 1000])
def test_novelty_is_brute_force_knn(neighbours):
    """Novelty is 1 less the mean cosine to the nearest eligible companions, fewer where there are fewer; 1 if none."""
    pool = clustered()
    values = novelty.score(pool, neighbours=neighbours)
    for row, others in companions(pool).items():
        nearest = sorted((float(pool.vectors[row] @ pool.vectors[other]) for other in others), reverse=True)
        expected = 1 - statistics.fmean(nearest[:neighbours]) if others else 1
        assert values[row] == pytest.approx(expected, abs=1e-5)


@given(st.integers(2, 12), st.data())
def test_largest_similarities_are_those_of_a_sort(m, data):
    """The kernel's mean is that of the first k of a sorted row without the diagonal, whatever repeats."""
    k = data.draw(st.integers(1, m - 1))
    values = st.lists(st.sampled_from([-1.0, -0.25, 0.0, 0.5, 0.75, 1.0]), min_size=m * m, max_size=m * m)
    table = np.array(data.draw(values), np.float32).reshape(m, m)
    expected = [statistics.fmean(sorted(np.delete(row, i).tolist())[-k:]) for i, row in enumerate(table)]
    assert mean_of_largest(table, k).tolist() == expected


@pytest.mark.parametrize("score", [novelty.score, density.score])
def test_half_precision_scores_alike(score):
    """Vectors of half precision score as the same values in single precision do."""
    pool = clustered()
    half = pool.vectors.astype(np.float16)
    assert (score(Pool(pool.rows, half)) == score(pool.with_vectors(half.astype(np.float32)))).all()


def test_novelty_in_blocks():
    """A cut cluster scores nobody less novel than the whole one, and near copies are still known as such."""
    rng = np.random.default_rng(0)
    seeds = rng.standard_normal((40, 8))
    vectors = unit_rows((np.repeat(seeds, 10, axis=0) + 0.01 * rng.standard_normal((400, 8))).astype(np.float32))
    pool = make_pool(["word"] * 400, vectors=vectors, cluster=[0] * 400)
    whole, cut = novelty.score(pool, neighbours=4), novelty.score(pool, neighbours=4, block=100)
    assert (cut >= whole - 1e-6).all()
    assert np.median(cut) < 0.01
    assert (novelty.score(pool, block=1) == 1).all()


@pytest.mark.parametrize("knobs", [{"neighbours": 0}, {"block": 0}])
def test_novelty_refuses_counts_below_one(knobs):
    """No neighbour at all, or blocks of none, is an error that says what came."""
    ((name, _),) = knobs.items()
    with pytest.raises(ConfigError, match=f"^score.novelty: .*{name}=0"):
        novelty.score(clustered(), **knobs)


def test_density_is_the_pairwise_mean():
    """Density is the mean cosine to every other eligible sample of the cluster, taken pair by pair; 0 if alone."""
    pool = clustered()
    values = density.score(pool)
    for row, others in companions(pool).items():
        cosines = [float(pool.vectors[row] @ pool.vectors[other]) for other in others]
        assert values[row] == pytest.approx(statistics.fmean(cosines) if cosines else 0, abs=1e-5)


def test_copies_are_dense_and_not_novel():
    """Samples at one point have density 1 and novelty 0."""
    pool = make_pool(["word"] * 30, vectors=np.eye(4, dtype=np.float32)[[0] * 30], cluster=[5] * 30)
    assert density.score(pool) == pytest.approx(1)
    assert novelty.score(pool) == pytest.approx(0)


# coverage


def test_coverage_worked_by_hand():
    """The rarer concept weighs more, touching all makes 1, none makes 0, and refused samples do not count."""
    pool = make_pool(
        ["word"] * 5,
        concepts=[["cat", "dog"], ["cat"], [], ["cat"], ["owl"]],
        problem=[None, None, None, None, "L06"],
    )
    cat, dog = math.log(1 + 4 / 3), math.log(1 + 4 / 1)
    assert concept_coverage.score(pool) == pytest.approx([1, cat / (cat + dog), 0, cat / (cat + dog), 0])


def test_coverage_without_concepts():
    """Where no sample touches a concept every score is 0."""
    assert concept_coverage.score(make_pool(["word"] * 2, concepts=[[], []]).with_labels(_no_concepts(2))).tolist() == [
        0,
        0,
    ]


def _no_concepts(n):
    """An empty list of texts for each sample."""
    import polars as pl

    return pl.DataFrame({"concepts": [[]] * n}, schema={"concepts": pl.List(pl.String)})


# balance


def test_balance_is_quota_over_supply(scored):
    """Each eligible sample scores its cell's quota over the cell's supply, and all scores sum to the size."""
    values = balance.score(scored)
    table = scored.rows.select("cell", "cell_quota").to_dicts()
    supply = {}
    for row in table:
        supply[row["cell"]] = supply.get(row["cell"], 0) + 1
    for row in np.flatnonzero(scored.eligible).tolist():
        assert values[row] == pytest.approx(table[row]["cell_quota"] / supply[table[row]["cell"]])
    assert values.sum(dtype=float) == pytest.approx(SIZE, abs=1e-3)


def test_balance_worked_by_hand():
    """Two of four wanted is a half, one of one is 1, and none wanted is 0."""
    pool = make_pool(
        ["word"] * 7,
        cell=[0, 0, 0, 0, 2, 5, None],
        cell_quota=[2, 2, 2, 2, 1, 0, None],
        problem=[*[None] * 6, "L06"],
    )
    assert balance.score(pool).tolist() == [0.5, 0.5, 0.5, 0.5, 1, 0, 0]


def test_balance_asks_for_quotas():
    """A pool without quotas is refused with what to use instead."""
    with pytest.raises(ConfigError, match=r"^score.balance: expected a pool with quotas; use score_pool"):
        balance.score(make_pool(["one"]))


# length


def pool_with(words, task, problem=None):
    """A pool of samples of so many words."""
    return make_pool([""] * len(words), n_words=words, task=task, problem=problem or [None] * len(words))


def test_length_worked_by_hand():
    """The score is exp(-z^2 / 2), z = |log(1 + words) - median| / (1.4826 MAD) within the task."""
    values = length.score(pool_with([1, 3, 7, 15, 127, 9], ["a"] * 5 + ["b"]))
    # in powers of two of 1 + words: 1 2 3 4 7, median 3, deviations 2 1 0 1 4, MAD 1
    expected = [math.exp(-((off / 1.4826) ** 2) / 2) for off in (2, 1, 0, 1, 4)]
    assert values == pytest.approx([*expected, 1], abs=1e-6)


def test_length_of_one_size():
    """Where most samples of a task are of one length they score 1, and the others 0."""
    assert length.score(pool_with([5, 5, 5, 5, 80], ["a"] * 5)).tolist() == [1, 1, 1, 1, 0]


def test_length_leaves_refused_samples_out():
    """What may not be selected neither scores nor moves the median."""
    with_bad = length.score(pool_with([1, 3, 7, 900, 900, 900], ["a"] * 6, [None] * 3 + ["L06"] * 3))
    assert with_bad.tolist() == [*length.score(pool_with([1, 3, 7], ["a"] * 3)).tolist(), 0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["a", "b", None])), min_size=1, max_size=20))
def test_length_is_the_robust_z_score(samples):
    """By statistics.median, task by task, whatever the lengths; samples without a task are one task."""
    values = length.score(pool_with([words for words, _ in samples], [task for _, task in samples]))
    for (words, task), value in zip(samples, values.tolist(), strict=True):
        logs = [math.log(1 + other) for other, of in samples if of == task]
        middle = statistics.median(logs)
        spread = 1.4826 * statistics.median(abs(one - middle) for one in logs)
        off = abs(math.log(1 + words) - middle)
        expected = math.exp(-((off / spread) ** 2) / 2) if spread > 1e-9 else float(off < 1e-9)
        assert value == pytest.approx(expected, abs=1e-5)
