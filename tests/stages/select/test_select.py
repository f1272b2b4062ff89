"""Laws, oracles and examples of the selectors."""

import pickle
from collections import Counter
from dataclasses import replace
from itertools import combinations
from math import sqrt
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import pool_of, quotas_of, unit_rows
from threadpoolctl import threadpool_limits

from recipe import engine
from recipe.config.registry import find, names
from recipe.data.picks import Picks
from recipe.errors import ConfigError, SupplyError
from recipe.stages.select._facility import tasks
from recipe.stages.select._facility.cells import fine_cells
from recipe.stages.select._facility.ground import sort_by_candidate
from recipe.stages.select._facility.terms import weigh_terms
from recipe.stages.select._image_limits import fill_up
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, lazy_greedy, quantise
from recipe.stages.select._kernels.sparse import nearest_columns

facility, kcenter, by_concepts, at_random = (
    find("select", name) for name in ("facility", "kcenter", "concepts", "random")
)
UNLIMITED = 10**9


@st.composite
def greedy_inputs(draw):
    """Draw inputs of lazy greedy: few distinct numbers, so that there are many ties, and tight limits."""
    m, n, u = draw(st.integers(1, 10)), draw(st.integers(1, 8)), draw(st.integers(1, 3))
    level = st.sampled_from([0, 1, 2, 5, 1000, QUANTUM])
    quanta = np.array(draw(st.lists(level, min_size=m * n, max_size=m * n)), np.int16).reshape(m, n)
    lists = [sorted(draw(st.sets(st.integers(0, u - 1)))) for _ in range(m)]
    return {
        "quanta": quanta,
        "concepts": lists,
        "worth": np.array(draw(st.lists(st.sampled_from([0.0, 3.0, 700.5]), min_size=u, max_size=u))),
        "bonus": np.array(draw(st.lists(st.sampled_from([0, 1, 400]), min_size=m, max_size=m)), np.int64),
        "cell": np.array(draw(st.lists(st.integers(0, 2), min_size=m, max_size=m)), np.int32),
        "quota": np.array(draw(st.lists(st.integers(0, 4), min_size=3, max_size=3)), np.int64),
        "image": np.array(draw(st.lists(st.integers(0, 3), min_size=m, max_size=m)), np.int32),
        "room": np.full(4, draw(st.sampled_from([1, 2, UNLIMITED])), np.int64),
    }


def naive_greedy(given):
    """Look at every candidate for every pick: the largest gain, the smaller index of equal ones."""
    quota, room = given["quota"].copy(), given["room"].copy()
    best = [0] * given["quanta"].shape[1]
    seen = [0] * len(given["worth"])
    picks, gains, left = [], [], list(range(len(given["bonus"])))
    while True:
        looks = []
        for j in left:
            if quota[given["cell"][j]] > 0 and room[given["image"][j]] > 0:
                covered = sum(max(int(q) - b, 0) for q, b in zip(given["quanta"][j], best, strict=True))
                touched = sum(
                    int(given["worth"][c] / (sqrt(seen[c] + 1) + sqrt(seen[c]))) for c in given["concepts"][j]
                )
                looks.append((-(covered + touched + int(given["bonus"][j])), j, [covered, touched, given["bonus"][j]]))
        if not looks:
            return picks, gains
        _, j, gain = min(looks)
        picks.append(j)
        gains.append(gain)
        left.remove(j)
        best = [max(int(q), b) for q, b in zip(given["quanta"][j], best, strict=True)]
        for c in given["concepts"][j]:
            seen[c] += 1
        quota[given["cell"][j]] -= 1
        room[given["image"][j]] -= 1


def run_lazy(given, most=UNLIMITED, *, dense=True):
    """Call the kernel with fresh copies of what it changes, with similarities as a table or as a list."""
    m, n = given["quanta"].shape
    start, points, quanta = np.arange(m + 1) * n, np.zeros(0, np.int32), given["quanta"].ravel()
    if not dense:
        everyone = np.broadcast_to(np.arange(m, dtype=np.int32), (n, m)).copy()
        half = n // 2
        kept = [(everyone[part], given["quanta"].T[part].copy()) for part in (slice(half), slice(half, n))]
        start, points, quanta, *_ = sort_by_candidate(kept, m)
    concept_start = np.concatenate([[0], np.cumsum([len(own) for own in given["concepts"]])]).astype(np.int64)
    concepts = np.array([c for own in given["concepts"] for c in own], np.int32)
    picks, gains = lazy_greedy(
        start,
        points,
        quanta,
        dense,
        np.zeros(n, np.int16),
        given["bonus"],
        concept_start,
        concepts,
        given["worth"],
        np.zeros(len(given["worth"]), np.int64),
        given["cell"],
        given["quota"].copy(),
        given["image"],
        given["room"].copy(),
        most,
    )
    return picks.tolist(), gains.tolist()


@given(greedy_inputs(), st.booleans())
def test_lazy_greedy_is_naive_greedy(inputs, dense):
    """Pick by pick and gain by gain, ties, quotas, images and concepts included, for both shapes of similarities."""
    assert run_lazy(inputs, dense=dense) == naive_greedy(inputs)


@given(greedy_inputs(), st.data())
def test_greedy_order_nests(inputs, data):
    """The first k picks are those of a run that stops after k picks."""
    picks, gains = run_lazy(inputs)
    most = data.draw(st.integers(0, len(picks)))
    assert run_lazy(inputs, most) == (picks[:most], gains[:most])


def test_ties_go_to_the_smaller_row():
    """Of four equal samples, two at one place and two at the other, the smaller row of each place is picked."""
    pool = pool_of(4, vectors=np.eye(2, dtype=np.float32)[[1, 0, 0, 1]])
    assert facility(pool, quotas_of([0] * 4, [2]), concepts=0).rows.tolist() == [0, 1]


def test_similarities_are_rounded_to_quanta():
    """Below 0 is 0, above 1 is 1, and half a quantum is rounded up."""
    given = np.array([[-0.5, 0.0, 1.0, 1.5, 1.5 / QUANTUM, 0.5]], np.float32)
    assert quantise(given).tolist() == [[0, 0, QUANTUM, QUANTUM, 2, QUANTUM // 2]]


def coverage(vectors, rows, picks):
    """Return the mean best similarity of some rows to the picks, in floats."""
    return float((vectors[rows] @ vectors[picks].T).max(axis=1).clip(0, 1).mean())


@pytest.mark.parametrize(("seed", "clusters"), [(0, None), (1, 12)])
def test_facility_is_as_good_as_apricot(seed, clusters):
    """On the same similarities, coverage is that of apricot-select's lazy greedy within a thousandth."""
    apricot = pytest.importorskip("apricot")
    vectors, _ = unit_rows(seed, 300, 16, clusters=clusters)
    similarity = (vectors @ vectors.T).clip(0, 1).astype(np.float64)
    oracle = apricot.FacilityLocationSelection(30, metric="precomputed", optimizer="lazy").fit(similarity)
    reached = similarity[:, oracle.ranking].max(axis=1).mean()
    picks = facility(pool_of(300, vectors=vectors), quotas_of([0] * 300, [30]), concepts=0)
    assert coverage(vectors, slice(None), picks.rows) == pytest.approx(reached, rel=1e-3)


def objective(pool, quotas, picks, *, concepts, quality):
    """Recompute the objective of a one-block mix as the docstring of `facility.select` states it."""
    rows = np.flatnonzero(quotas.cell >= 0)
    concepts_of = [set(own) for own in pool.rows["concepts"].to_list()]
    frequency = Counter(c for row in rows.tolist() for c in concepts_of[row])
    picked = Counter(c for row in picks for c in concepts_of[row])
    value = coverage(pool.vectors, rows, picks)
    value += concepts * sum(sqrt(picked[c] / frequency[c]) for c in frequency) / max(1, len(frequency))
    for name, weight in quality.items():
        score = pool.rows[name].to_numpy()[rows]
        rank = {row: ((score < s).sum() + (score <= s).sum() + 1) / 2 for row, s in zip(rows, score, strict=True)}
        value += weight * sum(rank[row] for row in picks) / len(picks) / len(rows)
    return value


def rich_pool(seed, n, d, *, clusters=None):
    """Build a pool with vectors, concepts and a score with ties."""
    vectors, cluster = unit_rows(seed, n, d, clusters=clusters)
    rng = np.random.default_rng(seed + 1)
    concepts = [sorted({f"c{c}" for c in rng.integers(4, size=rng.integers(3))}) for _ in range(n)]
    score = rng.integers(5, size=n).astype(np.float32)
    return pool_of(
        n, vectors=vectors, cluster=cluster, concepts=concepts, score=score, n_keywords=[len(c) for c in concepts]
    )


KNOBS = {"concepts": 0.3, "quality": {"score": 0.2}}


@pytest.mark.parametrize("seed", range(3))
def test_the_value_is_the_objective(seed):
    """The value is the objective recomputed in floats, and the gains of all terms sum to it."""
    pool = rich_pool(seed, 120, 8)
    cell = np.arange(120) % 3
    cell[:20] = -1
    quotas = quotas_of(cell, [5, 0, 9])
    picks = facility(pool, quotas, **KNOBS)
    # half a quantum a similarity, and less than one for each of at most two concepts a sample
    slack = (0.5 + 2) / QUANTUM
    assert picks.value == pytest.approx(objective(pool, quotas, picks.rows, **KNOBS), abs=slack)
    assert sum(gain.sum() for gain in picks.gains.values()) == pytest.approx(picks.value, abs=1e-12)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    cell=st.lists(st.integers(0, 1), min_size=3, max_size=8),
    wanted=st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any),
)
def test_the_optimum_lies_between_value_and_bound(seed, cell, wanted):
    """Of all subsets under the quotas none beats the bound, and greedy reaches at least half of the best."""
    n = len(cell)
    quota = [min(want, cell.count(c)) for c, want in enumerate(wanted)]
    if not any(quota):
        return
    pool, quotas = rich_pool(seed, n, 3), quotas_of(cell, quota)
    picks = facility(pool, quotas, **KNOBS)
    fitting = (
        subset for subset in combinations(range(n), sum(quota)) if [cell[row] for row in subset].count(0) == quota[0]
    )
    best = max(objective(pool, quotas, list(subset), **KNOBS) for subset in fitting)
    slack = 3 / QUANTUM
    assert picks.value <= best + slack
    assert picks.bound >= best - slack
    assert picks.value >= best / 2 - slack
    assert picks.certificate == min(1.0, picks.value / picks.bound)


def exceeds(pool, quotas, picks, row):
    """Return by how much the objective grows when a row is picked beyond the quotas, the quality per wanted sample."""
    rows, k = np.flatnonzero(quotas.cell >= 0), len(picks)
    grown = [objective(pool, quotas, chosen, concepts=0.3, quality={}) * len(rows) for chosen in (picks, [*picks, row])]
    score = pool.rows["score"].to_numpy()
    rank = ((score[rows] < score[row]).sum() + (score[rows] <= score[row]).sum() + 1) / 2
    return (grown[1] - grown[0]) / len(rows) + 0.2 * rank / len(rows) / k


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_is_the_value_and_the_largest_gains(seed):
    """In one block the bound is the value, and from each cell what its best samples would add, as many as its quota."""
    pool, cell = rich_pool(seed, 40, 6), np.arange(40) % 2
    quotas = quotas_of(cell, [4, 2])
    picks = facility(pool, quotas, **KNOBS)
    more = [0.0 if row in picks.rows else exceeds(pool, quotas, picks.rows.tolist(), row) for row in range(40)]
    best = sum(sum(sorted(np.array(more)[cell == c], reverse=True)[:quota]) for c, quota in enumerate([4, 2]))
    assert picks.bound == pytest.approx(picks.value + best, abs=(0.5 * 7 + 2) / QUANTUM)
    assert best > 0.01


def clustered(n, *, cells=1):
    """Build a pool of clustered samples and quotas of a tenth of each cell."""
    pool = rich_pool(5, n, 16, clusters=40)
    cell = np.arange(n) % cells
    return pool, quotas_of(cell, np.bincount(cell) // 10)


def test_blocks_lose_little():
    """Cut into blocks, greedy keeps the quotas and at least 0.85 of what exact greedy gains over a random mix."""
    pool, quotas = clustered(3000, cells=3)
    exact = facility(pool, quotas, concepts=0, block=3000, certificate=False)
    cut = facility(pool, quotas, concepts=0, block=300, reach=400)
    drawn = at_random(pool, quotas)
    assert len(np.unique(cut.rows)) == quotas.size
    assert np.bincount(quotas.cell[cut.rows]).tolist() == quotas.quota.tolist()
    reached, best, baseline = (coverage(pool.vectors, slice(None), p.rows) for p in (cut, exact, drawn))
    assert (reached - baseline) / (best - baseline) >= 0.85
    assert cut.value <= cut.bound
    # what a sample sees of the mix from its own and the near blocks is less than all of it
    assert cut.value <= reached + 1e-4


def test_a_block_more_than_the_pool_is_the_whole():
    """A pool of exactly one block is solved at once; a block of one sample fewer is not, and costs little."""
    pool, quotas = clustered(400)
    whole, cut = (facility(pool, quotas, block=block, concepts=0) for block in (400, 399))
    assert (whole.rows == facility(pool, quotas, block=4000, concepts=0).rows).all()
    assert cut.value >= 0.97 * whole.value


@pytest.mark.parametrize("name", ["facility", "kcenter"])
@pytest.mark.parametrize("block", [150, 5000])
def test_threads_do_not_change_picks(name, block, monkeypatch):
    """One worker or two, BLAS on one thread or on many: the same picks in the same order with the same gains."""
    pool, quotas = clustered(1200, cells=2)
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(engine, "usable_cores", lambda workers=workers: workers)
        with threadpool_limits(workers):
            found.append(find("select", name)(pool, quotas, block=block))
    assert found[0].rows.tolist() == found[1].rows.tolist()
    assert found[0].bound == found[1].bound
    assert all((found[0].gains[term] == gain).all() for term, gain in found[1].gains.items())


@pytest.mark.parametrize("name", names("select"))
@settings(max_examples=25)
@given(
    cell=st.lists(st.integers(-1, 3), min_size=2, max_size=60).filter(lambda cell: max(cell) >= 0),
    part=st.floats(0, 1),
    seed=st.integers(0, 5),
)
def test_every_selector_keeps_its_quotas(name, cell, part, seed):
    """Any selector picks exactly the quota of each cell, selectable rows only, each once, and the same in each call."""
    pool = rich_pool(seed, len(cell), 4)
    quotas = quotas_of(cell, [int(np.ceil(part * cell.count(c))) for c in range(max(cell) + 1)])
    picks = find("select", name)(pool, quotas, seed=seed)
    assert np.bincount(quotas.cell[picks.rows], minlength=len(quotas.quota)).tolist() == quotas.quota.tolist()
    assert len(set(picks.rows.tolist())) == len(picks)
    assert all(len(gain) == len(picks) for gain in picks.gains.values())
    assert find("select", name)(pool, quotas, seed=seed).rows.tolist() == picks.rows.tolist()


@pytest.mark.parametrize("name", names("select"))
@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 4)), min_size=2, max_size=40),
    per_image=st.integers(1, 3),
    data=st.data(),
)
def test_every_selector_keeps_the_image_limit(name, rows, per_image, data):
    """Under an image limit the size is exact, cells replace each other if needed, and no image exceeds its limit."""
    cell, image = (list(column) for column in zip(*rows, strict=True))
    open_images = Counter(i for c, i in rows if c >= 0)
    room = sum(min(count, per_image) for count in open_images.values())
    quota, left = [], data.draw(st.integers(0, room))
    for c in range(3):
        quota.append(min(left, cell.count(c)))
        left -= quota[-1]
    if not sum(quota):
        return
    pool = rich_pool(0, len(rows), 4)
    quotas = quotas_of(cell, quota, stratum=[0, 0, 1], image=image, per_image=per_image)
    picks = find("select", name)(pool, quotas)
    assert len(set(picks.rows.tolist())) == len(picks) == sum(quota)
    assert (quotas.cell[picks.rows] >= 0).all()
    assert max(Counter(quotas.image[picks.rows].tolist()).values()) <= per_image


def test_a_blocked_cell_is_replaced_by_one_of_its_stratum():
    """Both rows of cell 0 show one image; its second sample comes from cell 1 of its stratum, not from cell 2."""
    pool = rich_pool(0, 6, 4)
    quotas = quotas_of([0, 0, 2, 2, 1, 1], [2, 0, 1], stratum=[0, 0, 1], image=[7, 7, 1, 2, 3, 4], per_image=1)
    picks = at_random(pool, quotas)
    assert np.bincount(quotas.cell[picks.rows], minlength=3).tolist() == [1, 1, 1]


def naive_farthest(vectors, cell, quota):
    """Walk farthest-first from the sample nearest to the mean, comparing every selectable sample for every pick."""
    similarity = quantise(vectors @ vectors.T)
    quota = list(quota)
    order, at = [], int(np.argmax(vectors @ vectors.mean(axis=0)))
    while True:
        order.append(at)
        quota[cell[at]] -= 1
        ready = [i for i in range(len(cell)) if i not in order and quota[cell[i]] > 0]
        if not ready:
            return order
        at = min(ready, key=lambda i: (max(similarity[i, j] for j in order), i))


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), quota=st.tuples(st.integers(1, 15), st.integers(1, 15)))
def test_kcenter_is_farthest_first(seed, quota):
    """In one block the picks are those of the naive walk, and their distances fall."""
    vectors, _ = unit_rows(seed, 30, 3)
    cell = np.arange(30) % 2
    picks = kcenter(pool_of(30, vectors=vectors, cluster=[0] * 30), quotas_of(cell, quota))
    assert picks.rows.tolist() == naive_farthest(vectors, cell, quota)
    assert (np.diff(picks.gains["distance"]) <= 0).all()


def test_concepts_by_hand():
    """Most concepts first, then most keywords, then the smaller row; the quota of one for cell 1 is kept."""
    concepts = [["ocr"], ["ocr", "count"], ["color"], [], ["scene", "count"], None]
    pool = pool_of(6, concepts=concepts, n_keywords=[3, 2, 5, 0, 2, None])
    picks = by_concepts(pool, quotas_of([0, 0, 0, 1, 0, 1], [3, 1]))
    # two concepts: rows 1 and 4, two keywords each; one concept: row 2 with 5 keywords; of cell 1 the smaller row
    assert picks.rows.tolist() == [1, 4, 2, 3]
    assert picks.gains["concepts"].tolist() == [2, 2, 1, 0]


@given(st.integers(0, 10**6), st.integers(0, 29), st.integers(1, 29))
def test_random_picks_do_not_depend_on_other_samples(seed, gone, size):
    """Without a sample that was not picked, the others are picked as before."""
    keys = [f"{i:06d}" for i in range(30)]
    picked = [keys[row] for row in at_random(pool_of(30), quotas_of([0] * 30, [size]), seed=seed).rows]
    rest = [key for key in keys if key != keys[gone]]
    again = [rest[row] for row in at_random(pool_of(29, key=rest), quotas_of([0] * 29, [size]), seed=seed).rows]
    if keys[gone] not in picked:
        assert again == picked
    else:
        assert [key for key in picked if key != keys[gone]] == again[:-1]


def test_random_picks_are_fair_and_depend_on_the_seed():
    """Over 400 seeds each of 10 samples is among the 5 picked about half the time, and seeds differ."""
    quotas = quotas_of([0] * 10, [5])
    drawn = [tuple(at_random(pool_of(10), quotas, seed=seed).rows.tolist()) for seed in range(400)]
    assert len(set(drawn)) > 300
    count = Counter(row for rows in drawn for row in rows)
    # five standard deviations of a fair coin thrown 400 times
    assert all(abs(count[row] - 200) < 50 for row in range(10))


@pytest.mark.parametrize(
    "knobs",
    [
        {"concepts": -0.1},
        {"quality": {"score": -1.0}},
        {"block": 1},
        {"candidates": 0.5},
        {"reach": 0},
        {"keep": 0},
        {"refine": -1},
    ],
)
def test_facility_refuses_a_knob_out_of_range(knobs):
    """A negative weight or a knob below its range is named with its value."""
    name, value = next(iter(knobs.items()))
    message = (
        f"{name}={value}"
        if name not in {"concepts", "quality"}
        else str(min([value] if name == "concepts" else value.values()))
    )
    with pytest.raises(ConfigError, match=message):
        facility(rich_pool(0, 5, 3), quotas_of([0] * 5, [2]), **knobs)


@pytest.mark.parametrize("name", ["facility", "kcenter"])
def test_vectors_are_needed(name):
    """A pool that was not embedded is refused by the selectors that measure similarity."""
    with pytest.raises(ConfigError, match="embed"):
        find("select", name)(pool_of(3, cluster=[0] * 3), quotas_of([0] * 3, [1]))


def test_terms_without_any_concept():
    """A pool in which no sample has a concept has no concept term, and is still selected from."""
    vectors, cluster = unit_rows(0, 6, 3)
    pool = pool_of(6, vectors=vectors, cluster=cluster, concepts=[[]] * 6)
    quotas = quotas_of([0] * 6, [2])
    assert len(weigh_terms(pool, np.arange(6), quotas, concepts=1.0, quality={}).worth) == 0
    assert facility(pool, quotas, concepts=1.0).rows.tolist() == facility(pool, quotas, concepts=0).rows.tolist()


def test_a_limited_source_fills_no_gap():
    """If images block a cell, a limited cell still gives no more than its quota, and the missing number is reported."""
    quotas = quotas_of([0, 0, 1, 1], [2, 1], image=[0, 0, 1, 2], stratum=[0, 1], per_image=1)
    assert fill_up(Picks(np.array([0, 2])), quotas).rows.tolist() == [0, 2, 3]
    limited = replace(quotas, limited=np.array([False, True]))
    with pytest.raises(SupplyError, match=r"size=3: .* leave 1 too few"):
        fill_up(Picks(np.array([0, 2])), limited)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), m=st.integers(1, 40), keep=st.integers(1, 45))
def test_points_keep_their_nearest_columns(seed, n, m, keep):
    """The quanta kept are the largest of each row, nearest first, equal ones by smaller column."""
    similarities = np.random.default_rng(seed).integers(-2, 4, (n, m)).astype(np.float32) / 4
    columns, quanta = nearest_columns(similarities, keep)
    order = np.argsort(-quantise(similarities).astype(np.int64), axis=1, kind="stable")[:, :keep]
    assert columns.tolist() == order.tolist()
    assert quanta.tolist() == np.take_along_axis(quantise(similarities), order, axis=1).tolist()


@pytest.mark.parametrize("name", ["facility", "kcenter"])
def test_a_mapped_float16_matrix_gives_the_same_picks(name, tmp_path):
    """Vectors in memory or in a file, float16 or the float32 of the same numbers: picks, gains and bound are equal."""
    pool, quotas = clustered(1200, cells=2)
    half = pool.vectors.astype(np.float16)
    np.save(tmp_path / "vectors.npy", half)
    found = []
    for vectors in (half.astype(np.float32), half, np.load(tmp_path / "vectors.npy", mmap_mode="r")):
        given = Given(pool.rows, vectors)
        found.append(find("select", name)(given, quotas, block=150))
    assert all(picks.rows.tolist() == found[0].rows.tolist() for picks in found)
    assert all(picks.bound == found[0].bound for picks in found)


class Given(NamedTuple):
    """What a selector reads of a pool, with any matrix."""

    rows: pl.DataFrame
    vectors: np.ndarray

    def __len__(self):
        return self.rows.height


@pytest.mark.parametrize("block", [150, 5000])
@pytest.mark.parametrize("seed", range(3))
def test_refinement_never_lowers_the_objective(block, seed):
    """Each further round of swaps keeps or raises the objective, under the same quotas, terms included."""
    pool = rich_pool(seed, 600, 8, clusters=9)
    cell = np.arange(600) % 3
    quotas = quotas_of(cell, [20, 5, 30])
    reached = []
    for rounds in range(4):
        picks = facility(pool, quotas, block=block, refine=rounds, **KNOBS)
        assert np.bincount(cell[picks.rows], minlength=3).tolist() == [20, 5, 30]
        assert len(set(picks.rows.tolist())) == 55
        reached.append(objective(pool, quotas, picks.rows, **KNOBS))
    assert (np.diff(reached) >= -3 / QUANTUM).all()
    assert reached[-1] > reached[0]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=6, max_size=40),
    block=st.sampled_from([5, 100]),
    per_image=st.integers(1, 3),
)
def test_refinement_keeps_quotas_and_images(seed, rows, block, per_image):
    """After swaps, in one or several territories, each cell has as many picks as before and images keep their limit."""
    cell, image = (np.array(column) for column in zip(*rows, strict=True))
    quota = [(cell == c).sum() // 2 for c in range(3)]
    if not sum(quota) or sum(min(count, per_image) for count in Counter(image.tolist()).values()) < sum(quota):
        return
    pool = rich_pool(seed, len(rows), 3, clusters=4)
    quotas = quotas_of(cell, quota, stratum=[0, 0, 0], image=image, per_image=per_image)
    before, after = (facility(pool, quotas, block=block, refine=n, certificate=False, **KNOBS) for n in (0, 2))
    assert len(set(after.rows.tolist())) == len(after) == sum(quota)
    assert max(Counter(image[after.rows].tolist()).values()) <= per_image
    counts = [np.bincount(cell[picks.rows], minlength=3).tolist() for picks in (before, after)]
    assert counts[0] != quota or counts[1] == quota


def best_swap(pool, quotas, picks):
    """Return by how much the best single swap within a cell would raise the objective."""
    now = objective(pool, quotas, picks, **KNOBS)
    cell = quotas.cell
    swaps = ((p, new) for p, old in enumerate(picks) for new in range(len(cell)) if cell[new] == cell[old])
    reached = (
        objective(pool, quotas, [*picks[:p], new, *picks[p + 1 :]], **KNOBS) for p, new in swaps if new not in picks
    )
    return max(reached) - now


@pytest.mark.parametrize("seed", range(3))
def test_refinement_ends_where_no_swap_helps(seed):
    """After enough rounds no swap within a cell raises the objective, concepts and quality included."""
    pool = rich_pool(seed, 30, 4)
    quotas = quotas_of(np.arange(30) % 2, [4, 3])
    picks = facility(pool, quotas, refine=30, **KNOBS).rows.tolist()
    assert best_swap(pool, quotas, picks) <= 2 * 7 / QUANTUM


def test_refinement_beats_lazy_greedy():
    """On a pool of one block, swaps reach more coverage than exact lazy greedy."""
    pool, quotas = clustered(900)
    greedy, refined = (facility(pool, quotas, block=900, concepts=0, refine=n) for n in (0, 2))
    assert refined.value > greedy.value * 1.001


@pytest.mark.parametrize("seed", range(3))
def test_in_blocks_too_no_selection_beats_the_bound(seed):
    """Cut into blocks, the value is at most the objective, and the bound at least that of exact greedy and of swaps."""
    pool = rich_pool(seed, 700, 8, clusters=7)
    quotas = quotas_of(np.arange(700) % 3, [20, 5, 30])
    cut = facility(pool, quotas, block=100, **KNOBS)
    best = facility(pool, quotas, block=700, refine=3, **KNOBS)
    assert cut.value <= objective(pool, quotas, cut.rows, **KNOBS) + 3 / QUANTUM
    assert cut.bound >= best.value


def test_a_pool_without_neighbourhoods_is_solved_whole():
    """Points spread over the sphere are selected as one block, clustered ones in blocks."""
    vectors, _ = unit_rows(3, 1500, 128)
    pool = pool_of(1500, vectors=vectors, cluster=np.arange(1500) % 7)
    quotas = quotas_of([0] * 1500, [100])
    whole, cut = (facility(pool, quotas, block=b, concepts=0, certificate=False) for b in (1500, 200))
    assert whole.rows.tolist() == cut.rows.tolist()
    pool, quotas = clustered(1500)
    whole, cut = (facility(pool, quotas, block=b, concepts=0, certificate=False) for b in (1500, 200))
    assert whole.rows.tolist() != cut.rows.tolist()


def test_fine_clusters_are_kept_and_coarse_ones_are_not():
    """Clusters half as many as cells should be are used; one cluster is split, similar samples together."""
    vectors, cluster = unit_rows(1, 2000, 16, clusters=10)
    everyone = np.arange(2000)
    assert fine_cells(vectors, everyone, cluster, seed=0) is cluster
    cells = fine_cells(vectors, everyone, np.zeros(2000, np.int32), seed=0)
    assert 10 <= len(np.unique(cells)) <= 20
    inside = np.mean([(vectors[cells == c] @ vectors[cells == c].T).mean() for c in np.unique(cells)])
    assert inside > (vectors @ vectors.T).mean() + 0.2


@pytest.mark.parametrize("swaps", [0, 1])
def test_tasks_can_be_pickled(swaps, tmp_path, monkeypatch):
    """Groups of blocks that are pickled with their function and the name of the matrix give the results of threads."""
    pool, quotas = clustered(1200, cells=2)
    np.save(tmp_path / "vectors.npy", pool.vectors.astype(np.float16))
    given = Given(pool.rows, np.load(tmp_path / "vectors.npy", mmap_mode="r"))
    knobs = {"block": 100, "refine": swaps}
    on_threads = facility(given, quotas, **knobs)
    sizes = []

    def travel(function, shards, *, label):
        """Do each shard from its bytes."""
        messages = [pickle.dumps((function, shard)) for shard in shards]
        sizes.extend(len(message) for message in messages if "cells" not in label)
        return [apply(shard) for apply, shard in map(pickle.loads, messages)]

    monkeypatch.setattr(tasks, "distributed", lambda: True)
    monkeypatch.setattr(tasks, "spread", travel)
    monkeypatch.setattr(tasks, "GROUP", 4)
    on_tasks = facility(given, quotas, **knobs)
    assert on_tasks.rows.tolist() == on_threads.rows.tolist()
    assert on_tasks.bound == on_threads.bound
    assert max(sizes) < pool.vectors.nbytes
