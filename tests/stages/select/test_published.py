"""Selectors of published recipes: herding, ranks, weighted sampling and the similarity filter, against naive loops."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import pool_of, quotas_of, unit_rows

from recipe import engine
from recipe.config.registry import find
from recipe.errors import ConfigError
from recipe.stages.select import deita as deita_file
from recipe.stages.select._kernels.lazy_greedy import QUANTUM
from recipe.stages.select._kernels.walks import gaussian_quanta

herding, ranked, weighted, deita = (find("select", name) for name in ("herding", "ranked", "weighted", "deita"))


# herding


def mmd(kernel, picks):
    """Return the biased squared MMD of all rows and some picks, as a fraction: K_XX + K_YY - 2 K_XY."""
    n, m = len(kernel), len(picks)
    both = sum(int(kernel[i][j]) for i in picks for j in picks)
    across = sum(int(kernel[i][j]) for i in range(n) for j in picks)
    return Fraction(int(kernel.astype(int).sum()), n * n) + Fraction(both, m * m) - Fraction(2 * across, n * m)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 14), part=st.floats(0.01, 1), copies=st.booleans())
def test_herding_is_greedy_mmd(seed, n, part, copies):
    """Pick by pick the sample with which the MMD, recomputed over all pairs, is least; ties go to the smaller row."""
    vectors, _ = unit_rows(seed, n, 3)
    vectors = vectors[np.arange(n) // 2] if copies else vectors
    kernel, count = gaussian_quanta(vectors @ vectors.T, 1.0), int(np.ceil(part * n))
    picks = []
    for _ in range(count):
        picks.append(min((row for row in range(n) if row not in picks), key=lambda row: mmd(kernel, [*picks, row])))
    assert herding(pool_of(n, vectors=vectors), quotas_of([0] * n, [count])).rows.tolist() == picks


@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_the_kernel_is_gaussian(sigma):
    """A kernel value is exp(-|x - y|^2 / 2 sigma^2) of the vectors themselves, within half a step."""
    points = np.random.default_rng(0).normal(size=(12, 4))
    vectors = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    quanta = gaussian_quanta(vectors @ vectors.T, sigma)
    for i, x in enumerate(vectors.astype(float)):
        for j, y in enumerate(vectors.astype(float)):
            assert quanta[i, j] == pytest.approx(QUANTUM * exp(-((x - y) ** 2).sum() / (2 * sigma**2)), abs=0.51)


def test_herding_gains_are_what_it_maximises():
    """The first gain is the mean kernel to all; the second takes off half of the kernel to the first pick."""
    vectors, _ = unit_rows(3, 9, 3)
    kernel = gaussian_quanta(vectors @ vectors.T, 1.0) / QUANTUM
    picks = herding(pool_of(9, vectors=vectors), quotas_of([0] * 9, [2]))
    one, two = picks.rows
    assert picks.gains["herding"] == pytest.approx([kernel[one].mean(), kernel[two].mean() - kernel[one, two] / 2])


def test_picks_of_cells_are_interleaved_by_hand():
    """Of quotas 1, 2 and 4 the places are 1/2; 1/4, 3/4; 1/8, 3/8, 5/8, 7/8: cells 2, 1, 2, 0, 2, 1, 2."""
    vectors, _ = unit_rows(0, 12, 3)
    cell = np.arange(12) % 3
    picks = herding(pool_of(12, vectors=vectors), quotas_of(cell, [1, 2, 4]))
    assert cell[picks.rows].tolist() == [2, 1, 2, 0, 2, 1, 2]


def test_herding_represents_its_cell():
    """The MMD of its picks is less than a quarter of the mean of 50 random draws."""
    vectors, _ = unit_rows(1, 60, 3, clusters=4)
    kernel = gaussian_quanta(vectors @ vectors.T, 1.0)
    reached = mmd(kernel, herding(pool_of(60, vectors=vectors), quotas_of([0] * 60, [8])).rows.tolist())
    rng = np.random.default_rng(0)
    drawn = [mmd(kernel, rng.choice(60, 8, replace=False).tolist()) for _ in range(50)]
    assert reached < sum(drawn) / 50 / 4


# ranks


def test_ranked_by_hand():
    """The highest first, equal ones by row, each cell its quota, and from the low end for a weight below 0."""
    pool = pool_of(6, a=[3.0, 9.0, 3.0, 5.0, 1.0, 0.0])
    quotas = quotas_of([0, 0, 0, 1, 1, -1], [2, 1])
    assert ranked(pool, quotas, by="a").rows.tolist() == [1, 3, 0]
    assert ranked(pool, quotas, by={"a": -1.0}).rows.tolist() == [4, 0, 2]
    assert ranked(pool, quotas, by="a").gains["score"].tolist() == [9, 5, 3]


def test_scores_are_weighed_by_their_ranks():
    """Ranks 1 2 3 and 3 1 2 (of 3, refused ones left out) at weights 1 and 2 make 7, 4 and 7 thirds."""
    pool = pool_of(4, a=[0.1, 0.2, 700.0, 1.0], b=[9, 1, 2, 5])
    picks = ranked(pool, quotas_of([0, 0, 0, -1], [3]), by={"a": 1.0, "b": 2.0})
    assert picks.rows.tolist() == [0, 2, 1]
    assert picks.gains["score"] == pytest.approx([7 / 3, 7 / 3, 4 / 3])


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("aa", "by names 'aa', which is not a score, did you mean 'a'"),
        ("key", "expected a column of numbers, got key of String"),
        ("gap", "2 have no gap"),
        ({}, "by={}"),
    ],
)
@pytest.mark.parametrize("selector", ["ranked", "weighted", "deita"])
def test_what_cannot_be_ranked_by_is_named(selector, by, message):
    """A column that is not there, of words, or with holes among the eligible rows is an error that says so."""
    pool = pool_of(4, a=[1, 2, 3, 4], gap=[1.0, None, float("nan"), None], vectors=np.eye(4, dtype=np.float32))
    with pytest.raises(ConfigError, match=f"^select.{selector}: .*{message}"):
        find("select", selector)(pool, quotas_of([0, 0, 0, -1], [2]), by=by)


# weighted sampling


def first_of(seed, **knobs):
    """Draw one of three samples with scores 1, 2 and 5."""
    pool = pool_of(3, score=[1.0, 2.0, 5.0])
    return int(weighted(pool, quotas_of([0] * 3, [1]), by="score", seed=seed, **knobs).rows[0])


@pytest.mark.parametrize(
    ("knobs", "weights"),
    [({"chance": "proportional"}, [1, 2, 5]), ({"tau": 2.0}, [exp(0.5), exp(1.0), exp(2.5)])],
)
def test_samples_are_drawn_by_their_weights(knobs, weights):
    """Over 1,000 seeds each of three samples is drawn as often as its weight says, within five standard deviations."""
    drawn = Counter(first_of(seed, **knobs) for seed in range(1000))
    for row, weight in enumerate(weights):
        probability = weight / sum(weights)
        assert abs(drawn[row] - 1000 * probability) < 5 * (1000 * probability * (1 - probability)) ** 0.5


def test_the_second_draw_is_in_proportion_to_what_is_left():
    """After the third sample, the others follow as 1 : 2 (successive draws without replacement)."""
    pool, quotas = pool_of(3, score=[1.0, 2.0, 5.0]), quotas_of([0] * 3, [2])
    drawn = [weighted(pool, quotas, by="score", chance="proportional", seed=seed).rows.tolist() for seed in range(1000)]
    second = Counter(rows[1] for rows in drawn if rows[0] == 2)
    assert abs(second[0] / sum(second.values()) - 1 / 3) < 5 * (2 / 9 / sum(second.values())) ** 0.5


def test_weight_zero_is_drawn_last():
    """Samples of weight 0 come last, in random order."""
    pool = pool_of(5, score=[0.0, 1.0, 0.0, 1e-9, 0.0])
    quotas = quotas_of([0] * 5, [4])
    orders = [weighted(pool, quotas, by="score", chance="proportional", seed=seed).rows.tolist() for seed in range(30)]
    assert all(set(order[:2]) == {1, 3} for order in orders)
    assert len({order[2] for order in orders}) == 3


@given(st.integers(0, 10**6), st.integers(0, 19))
def test_weighted_sampling_does_not_depend_on_other_samples(seed, gone):
    """Without one sample, the others come in the order in which they came before."""
    score, keys = np.linspace(0, 2, 20), [f"{i:06d}" for i in range(20)]
    whole = weighted(pool_of(20, score=score, key=keys), quotas_of([0] * 20, [20]), by="score", seed=seed)
    order = [keys[row] for row in whole.rows if row != gone]
    rest = [i for i in range(20) if i != gone]
    left = pool_of(19, score=score[rest], key=[keys[i] for i in rest])
    again = weighted(left, quotas_of([0] * 19, [19]), by="score", seed=seed)
    assert [keys[rest[row]] for row in again.rows] == order


@pytest.mark.parametrize(
    ("selector", "knobs", "message"),
    [
        ("weighted", {"by": "score", "chance": "proportional"}, "-1.0"),
        ("weighted", {"tau": 0}, "tau=0"),
        ("weighted", {"chance": "even"}, "chance='even'"),
        ("herding", {"sigma": 0}, "sigma=0"),
        ("herding", {"block": 1}, "block=1"),
        ("deita", {"tau": -1}, "tau=-1"),
        ("deita", {"block": 0}, "block=0"),
    ],
)
def test_a_knob_out_of_range_is_named(selector, knobs, message):
    """A knob out of its range raises an error with its value."""
    pool = pool_of(3, score=[-1.0, 2.0, 3.0], vectors=np.eye(3, dtype=np.float32))
    with pytest.raises(ConfigError, match=f"^select.{selector}: .*{message}"):
        find("select", selector)(pool, quotas_of([0] * 3, [1]), **knobs)


@pytest.mark.parametrize("selector", ["herding", "deita"])
def test_vectors_are_needed(selector):
    """A pool that was not embedded is refused."""
    with pytest.raises(ConfigError, match="embed"):
        find("select", selector)(pool_of(3, cluster=[0] * 3), quotas_of([0] * 3, [1]))


# score first, diversity aware


def naive_filter(pool, quotas, tau):
    """By falling score, keep what is less similar than tau to all kept; then what was skipped, least similar first."""
    vectors, score = pool.vectors.astype(float), pool.rows["score"].to_list()
    quota, images, kept, over = list(quotas.quota), Counter(), [], []
    most = quotas.per_image or len(pool)

    def room(row):
        return quota[quotas.cell[row]] > 0 and images[quotas.image[row]] < most

    def keep(row):
        kept.append(row)
        quota[quotas.cell[row]] -= 1
        images[quotas.image[row]] += 1

    for row in sorted((row for row in range(len(pool)) if quotas.cell[row] >= 0), key=lambda row: (-score[row], row)):
        if room(row):
            near = max([-2.0, *(float(vectors[row] @ vectors[other]) for other in kept)])
            if near < tau:
                keep(row)
            else:
                over.append((near, -score[row], row))
    for _, _, row in sorted(over):
        if room(row):
            keep(row)
    return kept


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    rows=st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 12)), min_size=2, max_size=40),
    part=st.floats(0.1, 1),
    tau=st.floats(0.1, 1.1),
    batch=st.sampled_from([1, 3, 2048]),
    data=st.data(),
)
def test_the_filter_is_the_naive_walk_in_any_batches(seed, rows, part, tau, *, batch, data):
    """Cells, images, skipped samples and their order: one by one, by threes or all at once, as the loop has it."""
    cell, image = (np.array(column) for column in zip(*rows, strict=True))
    per_image = data.draw(st.none() | st.integers(1, 2))
    vectors, _ = unit_rows(seed, len(rows), 3, clusters=3)
    score = np.random.default_rng(seed).integers(5, size=len(rows)).astype(float)
    pool = pool_of(len(rows), vectors=vectors, score=score, cluster=[0] * len(rows))
    quotas = quotas_of(
        cell, [int(part * (cell == c).sum()) for c in range(3)], image=image, per_image=per_image, stratum=[0, 0, 0]
    )
    room = sum(min(count, per_image or count) for count in Counter(image[cell >= 0].tolist()).values())
    if not 0 < quotas.size <= room:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deita_file, "BATCH", batch)
        patch.setattr(deita_file, "SLICE", max(1, batch // 2))
        picks = deita(pool, quotas, by="score", tau=tau)
    expected = naive_filter(pool, quotas, tau)
    assert picks.rows[: len(expected)].tolist() == expected
    assert len(picks) == quotas.size


def test_the_filter_by_hand():
    """Score order 0 1 2 3; 1 is a copy of 0, 3 has cosine 3/4 to 2: two are kept, then 3, skipped at 3/4, then 1."""
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.65625, 0.75]], dtype=np.float32)
    pool = pool_of(4, vectors=vectors, score=[4, 3, 2, 1], cluster=[0] * 4)
    picks = deita(pool, quotas_of([0] * 4, [4]), by="score", tau=0.7)
    assert picks.rows.tolist() == [0, 2, 3, 1]
    assert picks.gains["similarity"] == pytest.approx([0, 0, -0.75, -1])
    assert deita(pool, quotas_of([0] * 4, [3]), by="score", tau=1.1).rows.tolist() == [0, 1, 2]


def test_a_large_pool_is_filtered_in_blocks():
    """In blocks the size and the quotas are exact, and of a score's best no two of one cluster are too similar."""
    vectors, cluster = unit_rows(2, 900, 8, clusters=30, spread=0.4)
    score = np.random.default_rng(0).random(900)
    pool, cell = pool_of(900, vectors=vectors, score=score, cluster=cluster), np.arange(900) % 2
    quotas = quotas_of(cell, [30, 10])
    whole, cut = (deita(pool, quotas, by="score", tau=0.9, block=block) for block in (900, 150))
    assert np.bincount(cell[cut.rows]).tolist() == [30, 10]
    assert (cut.gains["similarity"] == 0).all()
    near = vectors[cut.rows] @ vectors[cut.rows].T - np.eye(40)
    assert near[cluster[cut.rows][:, None] == cluster[cut.rows]].max() < 0.9
    assert len(set(whole.rows) & set(cut.rows)) >= 36


@pytest.mark.parametrize("selector", ["herding", "deita"])
@pytest.mark.parametrize("block", [60, 5000])
def test_threads_do_not_change_picks(selector, block, monkeypatch):
    """One worker or two: the same picks in the same order with the same gains, in blocks or whole."""
    vectors, cluster = unit_rows(5, 1000, 16, clusters=20)
    pool, cell = pool_of(1000, vectors=vectors.astype(np.float16), cluster=cluster), np.arange(1000) % 3
    quotas, found = quotas_of(cell, [50, 20, 200]), []
    for workers in (1, 2):
        monkeypatch.setattr(engine, "usable_cores", lambda workers=workers: workers)
        found.append(find("select", selector)(pool, quotas, block=block))
    assert found[0].rows.tolist() == found[1].rows.tolist()
    assert np.bincount(cell[found[0].rows]).tolist() == [50, 20, 200]
    assert all((found[0].gains[term] == gain).all() for term, gain in found[1].gains.items())
