"""Laws, oracles and examples of the greedy selectors with objectives other than facility location alone."""

from math import ceil, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import pool_of, quotas_of, unit_rows
from threadpoolctl import threadpool_limits

from recipe import Recipe, demo_pool, engine, select_mix
from recipe.config.registry import find
from recipe.errors import ConfigError
from recipe.stages.select._kernels.lazy_greedy import QUANTUM, lazy_greedy, quantise
from recipe.stages.select._worth import worth_of

WALKS = ("mmr", "dpp", "graph_cut", "mixture", "knapsack")
facility, kcenter, mmr, dpp, graph_cut, mixture, knapsack = (
    find("select", name) for name in ("facility", "kcenter", *WALKS)
)
seeds = st.integers(0, 10**6)
quota_pairs = st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(any)
ROUNDING = 4 / QUANTUM


def rich_pool(seed, n, d, *, clusters=None, spread=0.3):
    """Build a pool with vectors, concepts, two scores and costs."""
    vectors, cluster = unit_rows(seed, n, d, clusters=clusters, spread=spread)
    rng = np.random.default_rng(seed + 1)
    concepts = [sorted({f"c{c}" for c in rng.integers(4, size=rng.integers(3))}) for _ in range(n)]
    scores = {"score": rng.integers(5, size=n).astype(np.float32), "other": rng.random(n)}
    return pool_of(n, vectors=vectors, cluster=cluster, concepts=concepts, n_tokens=rng.integers(5, 60, n), **scores)


def ranks(pool, name):
    """Rank a score in 0..1, equal ones at the mean of their ranks, sample by sample."""
    score = pool.rows[name].to_list()
    return np.array([(sum(o < s for o in score) + sum(o <= s for o in score) + 1) / 2 / len(score) for s in score])


def assert_greedy(objective, cell, quota, picks, *, price=None, slack=ROUNDING):
    """Check pick by pick that none of an open cell would have raised an objective by more, and that gains say so."""
    price = np.ones(len(cell)) if price is None else price
    left, chosen, reached = list(quota), [], objective([])
    total = sum(picks.gains.values())
    for step, pick in enumerate(picks.rows.tolist()):
        ready = [j for j in range(len(cell)) if j not in chosen and left[cell[j]] > 0]
        gain = {j: objective([*chosen, j]) - reached for j in ready}
        assert gain[pick] / price[pick] >= max(gain[j] / price[j] for j in ready) - slack
        assert total[step] == pytest.approx(gain[pick], abs=slack)
        chosen.append(pick)
        reached += gain[pick]
        left[cell[pick]] -= 1
    assert not any(left)


@settings(max_examples=30)
@given(seed=seeds, quota=quota_pairs, diversity=st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_mmr_is_naive_greedy(seed, quota, diversity):
    """In one block each pick is the naive one: the largest weighted relevance minus similarity to the nearest pick."""
    pool, cell, left = rich_pool(seed, 20, 3), np.arange(20) % 2, list(quota)
    picks = mmr(pool, quotas_of(cell, quota), by={"score": 2.0, "other": 1.0}, diversity=diversity)
    worth = np.rint((1 - diversity) * QUANTUM * (2 * ranks(pool, "score") + ranks(pool, "other")) / 3)
    similarity = quantise(pool.vectors @ pool.vectors.T).astype(float)
    order = []
    while any(left):
        ready = [j for j in range(20) if j not in order and left[cell[j]] > 0]
        order.append(
            max(ready, key=lambda j: (worth[j] - diversity * max((similarity[i, j] for i in order), default=0), -j))
        )
        left[cell[order[-1]]] -= 1
    assert picks.rows.tolist() == order
    assert picks.gains["relevance"] == pytest.approx(worth[order] / QUANTUM)


def test_mmr_by_hand():
    """The most relevant first, then not its duplicate, which is nearly as relevant, but the one at a right angle."""
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    pool = pool_of(3, vectors=vectors, cluster=[0] * 3, score=[3.0, 2.0, 1.0])
    picks = mmr(pool, quotas_of([0] * 3, [3]), by={"score": 1.0})
    # ranks 1, 2/3, 1/3; half of each: the duplicate has 1/3 - 1/2 = -1/6, the other 1/6 - 0
    assert picks.rows.tolist() == [0, 2, 1]
    assert picks.gains["relevance"] == pytest.approx([1 / 2, 1 / 6, 1 / 3], abs=1e-4)
    assert picks.gains["redundancy"] == pytest.approx([0, 0, -1 / 2], abs=1e-4)
    assert mmr(pool, quotas_of([0] * 3, [3]), by={"score": 1.0}, diversity=0).rows.tolist() == [0, 1, 2]


def log_volume(pool, by, width, ridge):
    """Return the objective of `dpp` by determinants."""
    points = pool.vectors / np.linalg.norm(pool.vectors.astype(float), axis=1, keepdims=True)
    kernel = np.exp((points @ points.T - 1) / width) / (1 + ridge)
    np.fill_diagonal(kernel, 1)
    bonus = sum((weight * ranks(pool, name) for name, weight in by.items()), np.zeros(len(pool)))
    return lambda chosen: np.linalg.slogdet(kernel[np.ix_(chosen, chosen)])[1] + bonus[chosen].sum()


@settings(max_examples=30)
@given(seed=seeds, quota=quota_pairs, width=st.sampled_from([0.1, 0.5, 2.0]))
def test_dpp_is_greedy_on_determinants(seed, quota, width):
    """In one block each pick raises log det the most, recomputed each time, and the gains are its growth."""
    pool, cell = rich_pool(seed, 18, 4), np.arange(18) % 2
    picks = dpp(pool, quotas_of(cell, quota), by={"score": 0.7}, width=width)
    assert_greedy(log_volume(pool, {"score": 0.7}, width, 1e-3), cell, quota, picks)


def test_dpp_by_hand():
    """The second pick is the one at a right angle; a duplicate adds only noise, and comes last."""
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    picks = dpp(pool_of(3, vectors=vectors, cluster=[0] * 3), quotas_of([0] * 3, [3]), width=0.1, ridge=0.01)
    assert picks.rows.tolist() == [0, 2, 1]
    right_angle, duplicate = np.exp(-10) / 1.01, 1 / 1.01
    assert picks.gains["volume"] == pytest.approx([0, np.log(1 - right_angle**2), np.log(1 - duplicate**2)], abs=1e-3)


def test_dpp_goes_beyond_the_rank_of_its_vectors():
    """In two dimensions the tenth pick still adds volume, and no pick is a duplicate while others are left."""
    angle = np.repeat(np.arange(12) * 0.5, 2)
    pool = pool_of(24, vectors=np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32), cluster=[0] * 24)
    picks = dpp(pool, quotas_of([0] * 24, [12]))
    assert sorted(picks.rows.tolist()) == list(range(0, 24, 2))
    assert picks.gains["volume"].min() > np.log(1e-3)


def cut_value(pool, rows, redundancy):
    """Return the objective of `graph_cut`, pair by pair."""
    alike = (1 + pool.vectors.astype(float) @ pool.vectors.T) / 2
    return lambda chosen: (
        (alike[np.ix_(rows, chosen)].sum() - redundancy * alike[np.ix_(chosen, chosen)].sum()) / len(rows)
    )


@settings(max_examples=30)
@given(seed=seeds, quota=quota_pairs, redundancy=st.sampled_from([0.0, 0.5, 1.0, 5.0]))
def test_graph_cut_is_greedy_on_all_pairs(seed, quota, redundancy):
    """In one block each pick raises the sum over all pairs the most, and the gains are its growth."""
    pool, cell = rich_pool(seed, 20, 3), np.arange(20) % 2
    picks = graph_cut(pool, quotas_of(cell, quota), redundancy=redundancy)
    assert_greedy(cut_value(pool, np.arange(20), redundancy), cell, quota, picks)


def test_graph_cut_by_hand():
    """Without redundancy the crowd is picked; with much of it the one on the other side follows the first pick."""
    vectors = np.array([[1, 0], [1, 0], [1, 0], [-1, 0]], np.float32)
    pool, quotas = pool_of(4, vectors=vectors, cluster=[0] * 4), quotas_of([0] * 4, [2])
    # similarity 1 within the crowd, 0 to the other: sums 3, 3, 3 and 1
    picks = graph_cut(pool, quotas, redundancy=0)
    assert picks.rows.tolist() == [0, 1]
    assert picks.gains["representativeness"].tolist() == [3 / 4, 3 / 4]
    picks = graph_cut(pool, quotas, redundancy=2)
    # the crowd: 3 - 2 * (2 * 1 + 1) = -3; the other: 1 - 2 * 1 = -1
    assert picks.rows.tolist() == [0, 3]
    assert picks.gains["redundancy"].tolist() == [-2 / 4, -2 / 4]


def blend(pool, k, weights, quality, *, saturation=1.0, redundancy=0.5):
    """Return the objective of `mixture` in one block as its docstring states it."""
    n, whole = len(pool), sum(weights.values()) + sum(quality.values())
    alike = (pool.vectors.astype(float) @ pool.vectors.T).clip(0, 1)
    cap = alike.sum(axis=1) * min(1, saturation * k / n)
    listed = pool.rows["concepts"].to_list()
    names = sorted({c for concepts in listed for c in concepts})
    count = {c: sum(c in concepts for concepts in listed) for c in names}
    bonus = sum((weight * ranks(pool, name) for name, weight in quality.items()), np.zeros(n))

    def value(chosen):
        """Sum the terms."""
        if not chosen:
            return 0.0
        cut = alike[chosen].sum() - redundancy * alike[np.ix_(chosen, chosen)].sum()
        found = {
            "coverage": alike[chosen].max(axis=0).mean(),
            "saturated": np.minimum(alike[chosen].sum(axis=0), cap).sum() / cap.sum(),
            "graph_cut": cut / (k * alike.sum() / n),
            "concepts": sum(sqrt(sum(c in listed[j] for j in chosen) / count[c]) for c in names) / max(1, len(names)),
        }
        return (sum(weights[term] * found[term] for term in weights) + bonus[chosen].sum() / k) / whole

    return value


@settings(max_examples=30)
@given(
    seed=seeds,
    quota=quota_pairs,
    weights=st.fixed_dictionaries(
        {name: st.sampled_from([0.0, 0.2, 1.0]) for name in ("coverage", "saturated", "graph_cut", "concepts")}
    ).filter(lambda weights: any(weights.values())),
    saturation=st.sampled_from([0.3, 1.0, 2.0]),
)
def test_mixture_is_greedy_on_the_weighted_sum(seed, quota, weights, saturation):
    """In one block each pick raises the weighted sum the most, and the gains of the terms sum to its growth."""
    pool, cell, quality = rich_pool(seed, 20, 3), np.arange(20) % 2, {"score": 0.3}
    picks = mixture(pool, quotas_of(cell, quota), **weights, quality=quality, saturation=saturation)
    assert_greedy(blend(pool, sum(quota), weights, quality, saturation=saturation), cell, quota, picks)


@given(seed=seeds, quota=quota_pairs)
def test_a_mixture_of_one_is_facility_location(seed, quota):
    """With coverage alone a pool of one block is picked exactly as by facility location, at the same gains."""
    pool, quotas = rich_pool(seed, 20, 3), quotas_of(np.arange(20) % 2, quota)
    mixed = mixture(pool, quotas, coverage=3.0, saturated=0.0, concepts=0.0)
    alone = facility(pool, quotas, concepts=0.0)
    assert mixed.rows.tolist() == alone.rows.tolist()
    assert mixed.gains["coverage"] == pytest.approx(alone.gains["coverage"])


def test_each_term_of_a_mixture_is_a_share():
    """Of a pool that is picked whole every term but the cut reaches its weight; the cut what it keeps of redundancy."""
    pool = rich_pool(3, 30, 4)
    pool = type(pool)(pool.rows.with_columns(score=pl.lit(1.0)), pool.vectors)
    picks = mixture(pool, quotas_of([0] * 30, [30]), coverage=2, saturated=1, graph_cut=1, concepts=1)
    reached = {term: float(gain.sum()) for term, gain in picks.gains.items()}
    assert reached == pytest.approx(
        {"coverage": 2 / 5, "saturated": 1 / 5, "graph_cut": 0.5 / 5, "concepts": 1 / 5, "quality": 0}, abs=ROUNDING
    )


@settings(max_examples=30)
@given(seed=seeds, quota=quota_pairs, exponent=st.sampled_from([0.5, 1.0, 2.0]))
def test_knapsack_is_greedy_on_gain_for_cost(seed, quota, exponent):
    """In one block each pick has the largest gain per cost, recomputed each time."""
    pool, cell = rich_pool(seed, 20, 3), np.arange(20) % 2
    picks = knapsack(pool, quotas_of(cell, quota), exponent=exponent, better=False, concepts=0.5)
    weights = {"coverage": 1.0, "concepts": 0.5}
    value = blend(pool, sum(quota), weights, {})
    price = pool.rows["n_tokens"].to_numpy().astype(float) ** exponent
    assert_greedy(lambda chosen: value(chosen) * 1.5, cell, quota, picks, price=price)


@pytest.mark.parametrize("block", [100, 5000])
def test_knapsack_without_an_exponent_is_facility_location(block):
    """Where the cost does not count, or is the same for all, picks and gains are those of facility location."""
    pool = rich_pool(2, 600, 8, clusters=12)
    quotas = quotas_of(np.arange(600) % 2, [40, 30])
    alone = facility(pool, quotas, block=block, certificate=False)
    even = type(pool)(pool.rows.with_columns(n_tokens=pl.lit(7, pl.UInt32)), pool.vectors)
    for picks in (knapsack(pool, quotas, block=block, exponent=0), knapsack(even, quotas, block=block)):
        assert picks.rows.tolist() == alone.rows.tolist()
        assert all((picks.gains[term] == gain).all() for term, gain in alone.gains.items())


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=12), st.integers(1, 12))
def test_modular_gains_go_by_gain_for_cost(items, most):
    """Where a pick takes nothing from the others, the order is that of gain divided by price, ties by number."""
    m = len(items)
    gain, price = np.array([g for g, _ in items]), np.array([p for _, p in items], float)
    nothing = np.zeros(0, np.int32)
    picks, gains = lazy_greedy(
        np.zeros(m + 1, np.int64),
        nothing,
        np.zeros(0, np.int16),
        False,
        np.zeros(0, np.int16),
        gain,
        np.zeros(m + 1, np.int64),
        nothing,
        np.zeros(0),
        np.zeros(0, np.int64),
        np.zeros(m, np.int32),
        np.array([m]),
        np.zeros(m, np.int32),
        np.array([m]),
        most,
        price,
    )
    assert picks.tolist() == sorted(range(m), key=lambda j: (-gain[j] / price[j], j))[:most]
    assert gains[:, 2].tolist() == gain[picks].tolist()


def test_the_better_of_two_orders_is_taken():
    """Scaled greedy prefers cheap samples that cover only themselves, plain greedy does not, so its result is used."""
    vectors = np.eye(9, dtype=np.float32)[[0] * 20 + list(range(1, 9))]
    pool = pool_of(28, vectors=vectors, cluster=[0] * 28, n_tokens=[6] * 20 + [1] * 8)
    quotas, knobs = quotas_of([0] * 28, [8]), {"concepts": 0, "exponent": 2}
    # gain for cost: 20 / 36 of the crowd, 1 / 1 of the others. For 8 tokens: 8 others, or one of the crowd and two
    scaled, best = (knapsack(pool, quotas, better=better, **knobs) for better in (False, True))
    assert scaled.rows.tolist() == list(range(20, 28))
    assert best.rows.tolist() == [0, *range(20, 27)]
    # with a crowd of three scaled greedy reaches more for its money
    few = pool_of(11, vectors=vectors[17:], cluster=[0] * 11, n_tokens=[6] * 3 + [1] * 8)
    assert knapsack(few, quotas_of([0] * 11, [8]), **knobs).rows.tolist() == list(range(3, 11))


def test_a_token_budget_holds_more_samples_by_gain_for_cost():
    """Within the same tokens the mix stays within the budget and has more samples than by coverage alone."""
    pool = demo_pool(images=40)
    size = f"{int(pool.rows['n_tokens'].sum() // 8)} tokens"
    mixes = {name: select_mix(pool, size=size, select={name: {"concepts": 0}}) for name in ("facility", "knapsack")}
    spent = {name: int(mix.pool.rows["n_tokens"].gather(mix.picks.rows).sum()) for name, mix in mixes.items()}
    budget = int(size.split(maxsplit=1)[0])
    assert 0.9 * budget <= spent["knapsack"] <= budget
    assert len(mixes["knapsack"]) > len(mixes["facility"])


def test_free_samples_cost_as_the_cheapest():
    """A cost of 0 counts as the smallest above 0; a negative one or none is refused with its key."""
    pool = rich_pool(0, 6, 3)
    quotas = quotas_of([0] * 6, [3])
    free, least = (pool.rows.with_columns(fee=pl.Series([c, 2.0, 3.0, 4.0, 2.0, 9.0])) for c in (0.0, 2.0))
    rows = [knapsack(type(pool)(table, pool.vectors), quotas, cost="fee").rows.tolist() for table in (free, least)]
    assert rows[0] == rows[1]
    bad = pool.rows.with_columns(fee=pl.Series([1.0, -2.0, 1, 1, 1, 1]))
    with pytest.raises(ConfigError, match=r"fee=-2.0 for key=000001"):
        knapsack(type(pool)(bad, pool.vectors), quotas, cost="fee")


def chord(vectors):
    """Return lengths between unit rows, none more than that of a right angle."""
    return np.sqrt((2 - 2 * (vectors.astype(float) @ vectors.T)).clip(0, 2))


@settings(max_examples=60)
@given(seed=seeds, k=st.integers(1, 5), share=st.sampled_from([0.0, 0.1, 0.25, 0.4]))
def test_kcenter_covers_all_but_outliers(seed, k, share):
    """All samples but the share lie within twice the largest fair radius among them, recomputed by hand, of a pick."""
    vectors, _ = unit_rows(seed, 15, 3)
    away, leave = chord(vectors), int(share * 15)
    picks = kcenter(pool_of(15, vectors=vectors, cluster=[0] * 15), quotas_of([0] * 15, [k]), outliers=share).rows
    fair = np.sort(away, axis=1)[:, max(2, ceil(15 / k)) - 1]
    left = np.argsort(fair)[: 15 - leave]
    assert fair[picks].max() <= fair[left].max() + 0.01
    covered = np.sort(away[picks].min(axis=0))
    assert covered[: 15 - leave].max() <= 2 * fair[left].max() + 0.05


def test_outliers_are_not_picked():
    """Two odd samples far from two groups come first by farthest first; with outliers only when no other is left."""
    rng = np.random.default_rng(0)
    middles = np.eye(4)[[0] * 10 + [1] * 10 + [2, 3]]
    points = middles + rng.normal(size=(22, 4)) * 0.02
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    pool = pool_of(22, vectors=points.astype(np.float32), cluster=[0] * 22)
    plain, trimmed = (kcenter(pool, quotas_of([0] * 22, [4]), outliers=share) for share in (0.0, 0.1))
    assert {20, 21} <= set(plain.rows.tolist())
    assert not {20, 21} & set(trimmed.rows.tolist())
    assert {row // 10 for row in trimmed.rows[:2].tolist()} == {0, 1}
    most = kcenter(pool, quotas_of([0] * 22, [21]), outliers=0.1)
    assert len({20, 21} & set(most.rows.tolist())) == 1


def test_outliers_give_way_to_quotas():
    """A cell of outliers alone keeps its quota."""
    vectors = np.concatenate([np.tile([1, 0, 0], (18, 1)), [[0, 1, 0], [0, 0, 1]]]).astype(np.float32)
    pool = pool_of(20, vectors=vectors, cluster=[0] * 20)
    picks = kcenter(pool, quotas_of([0] * 18 + [1] * 2, [1, 1]), outliers=0.1)
    assert sorted(row >= 18 for row in picks.rows.tolist()) == [False, True]


KNOBS = {
    "mmr": {"by": {"score": 1.0}},
    "dpp": {"by": {"score": 1.0}},
    "graph_cut": {"redundancy": 2.0},
    "mixture": {"graph_cut": 0.5, "quality": {"score": 0.2}},
    "knapsack": {"quality": {"score": 0.2}},
    "kcenter": {"outliers": 0.1},
}


@pytest.mark.parametrize("block", [150, 5000])
@pytest.mark.parametrize("name", KNOBS)
def test_threads_do_not_change_picks(name, block, monkeypatch):
    """One worker or two, BLAS on one thread or on many: the same picks in the same order with the same gains."""
    pool = rich_pool(5, 900, 16, clusters=30)
    quotas = quotas_of(np.arange(900) % 3, [40, 20, 60])
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(engine, "usable_cores", lambda workers=workers: workers)
        with threadpool_limits(workers):
            found.append(find("select", name)(pool, quotas, block=block, **KNOBS[name]))
    assert found[0].rows.tolist() == found[1].rows.tolist()
    assert all((found[0].gains[term] == gain).all() for term, gain in found[1].gains.items())


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("block", [60, 5000])
def test_blocks_keep_quotas_and_images(name, block):
    """In one block or many each cell gives its quota, no row twice, and no image more than its limit."""
    pool = rich_pool(7, 500, 8, clusters=11)
    image = np.arange(500) // 4
    quotas = quotas_of(np.arange(500) % 3, [30, 0, 45], image=image, per_image=1)
    picks = find("select", name)(pool, quotas, block=block, **KNOBS[name])
    assert len(set(picks.rows.tolist())) == 75
    assert np.bincount(image[picks.rows]).max() == 1
    free = quotas_of(np.arange(500) % 3, [30, 0, 45])
    picks = find("select", name)(pool, free, block=block, **KNOBS[name])
    assert np.bincount(picks.rows % 3, minlength=3).tolist() == [30, 0, 45]


@pytest.mark.parametrize("name", ["mmr", "dpp", "graph_cut", "mixture"])
@pytest.mark.parametrize("block", [100, 5000])
def test_gains_never_grow(name, block):
    """The picks of all blocks are in the order of their gains."""
    pool, quotas = rich_pool(8, 500, 8, clusters=11), quotas_of(np.arange(500) % 2, [60, 40])
    picks = find("select", name)(pool, quotas, block=block, **KNOBS[name])
    assert (np.diff(sum(picks.gains.values())) <= 1e-12).all()


@pytest.mark.parametrize("name", ["mmr", "dpp", "graph_cut", "knapsack"])
def test_the_order_of_one_block_nests(name):
    """Under a quota of one cell the first 20 picks of 50 are the mix of 20."""
    pool = rich_pool(9, 200, 8)
    knobs = {} if name == "knapsack" else KNOBS[name]
    more, fewer = (find("select", name)(pool, quotas_of([0] * 200, [k]), **knobs) for k in (50, 20))
    assert more.rows[:20].tolist() == fewer.rows.tolist()


@pytest.mark.parametrize("name", ["mmr", "dpp", "graph_cut", "mixture", "knapsack"])
def test_the_order_of_rows_does_not_matter(name):
    """Where nothing ties the same samples are picked in the same order, whatever the order of their keys."""
    pool = rich_pool(11, 150, 8)
    pool = type(pool)(pool.rows.with_columns(score="other"), pool.vectors)
    shuffled = np.random.default_rng(1).permutation(150)
    other = type(pool)(pool.rows[shuffled], pool.vectors[shuffled])
    cell = np.arange(150) % 2
    picks = find("select", name)(pool, quotas_of(cell, [20, 9]), **KNOBS[name])
    again = find("select", name)(other, quotas_of(cell[shuffled], [20, 9]), **KNOBS[name])
    assert pool.rows["key"].gather(picks.rows).to_list() == other.rows["key"].gather(again.rows).to_list()


@pytest.mark.parametrize("name", ["mmr", "dpp", "graph_cut", "mixture", "knapsack", "kcenter"])
def test_ties_go_to_the_smaller_row(name):
    """Of three pairs of duplicates, the smaller row of each is picked before any second one."""
    pool = pool_of(6, vectors=np.eye(3, dtype=np.float32)[[2, 0, 1, 1, 0, 2]], cluster=[0] * 6, concepts=[["a"]] * 6)
    knobs = {"redundancy": 5.0} if name == "graph_cut" else {}
    assert find("select", name)(pool, quotas_of([0] * 6, [3]), **knobs).rows.tolist() == [0, 1, 2]


def reached(pool, quotas, name, objective, **knobs):
    """Return what blocks reach of an objective, on a scale from 0 (a random mix) to 1 (greedy without blocks)."""
    cut, whole = (find("select", name)(pool, quotas, block=b, **KNOBS[name], **knobs).rows for b in (200, 5000))
    drawn = find("select", "random")(pool, quotas).rows
    best, baseline = objective(whole.tolist()), objective(drawn.tolist())
    return (objective(cut.tolist()) - baseline) / (best - baseline)


def test_blocks_lose_little():
    """Cut into seven blocks, each objective keeps at least 0.6 of what exact greedy gains over a random mix."""
    pool = rich_pool(4, 1500, 16, clusters=30)
    quotas = quotas_of(np.arange(1500) % 2, [90, 60])
    volume = log_volume(pool, {"score": 1.0}, 0.25, 1e-3)
    cut = cut_value(pool, np.arange(1500), 2.0)
    mixed = blend(pool, 150, {"coverage": 1.0, "saturated": 1.0, "graph_cut": 0.5, "concepts": 0.02}, {"score": 0.2})
    found = {
        "dpp": reached(pool, quotas, "dpp", volume),
        "graph_cut": reached(pool, quotas, "graph_cut", cut),
        "mixture": reached(pool, quotas, "mixture", mixed),
    }
    assert min(found.values()) >= 0.6, found


def test_more_candidates_let_relevant_blocks_give_more():
    """Where one block has all that is relevant, the mix of marginal relevance takes more from it than its share."""
    vectors, cluster = unit_rows(2, 800, 16, clusters=8)
    pool = pool_of(800, vectors=vectors, cluster=cluster, score=(cluster == 3) + 0.0)
    quotas = quotas_of([0] * 800, [80])
    share = [
        (cluster[mmr(pool, quotas, by={"score": 1.0}, diversity=0.1, block=150, candidates=c).rows] == 3).mean()
        for c in (1, 4)
    ]
    assert share[1] > 2 * share[0] > 0


@given(seed=seeds)
def test_scores_are_ranked_and_weighted(seed):
    """The number of a sample is the weighted sum of its ranks in the named scores, equal scores having one rank."""
    pool = rich_pool(seed, 15, 2)
    found = worth_of(pool, np.arange(15), {"score": 2.0, "other": 0.5}, "by")
    assert found == pytest.approx(2 * ranks(pool, "score") + ranks(pool, "other") / 2)


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("mmr", {"diversity": 1.5}),
        ("mmr", {"by": {"score": -1.0}}),
        ("mmr", {"by": {"scor": 1.0}}),
        ("mmr", {"block": 1}),
        ("dpp", {"width": 0.0}),
        ("dpp", {"ridge": 0.0}),
        ("dpp", {"candidates": 0.5}),
        ("graph_cut", {"redundancy": -0.5}),
        ("mixture", {"redundancy": 0.6}),
        ("mixture", {"saturation": 0.0}),
        ("mixture", {"coverage": -1.0}),
        ("mixture", {"coverage": 0.0, "saturated": 0.0, "concepts": 0.0}),
        ("knapsack", {"exponent": -1.0}),
        ("knapsack", {"cost": "key"}),
        ("knapsack", {"reach": 0}),
        ("kcenter", {"outliers": 1.0}),
        ("kcenter", {"block": 1}),
    ],
)
def test_knobs_out_of_range_are_refused(name, knobs):
    """The error names the selector and the knob's value, and is raised before any work."""
    value = next(iter(knobs.values()))
    shown = str(next(iter(value))) if isinstance(value, dict) else str(value)
    with pytest.raises(ConfigError, match=rf"^select[.:].*{shown}"):
        find("select", name)(rich_pool(0, 5, 3), quotas_of([0] * 5, [2]), **knobs)


@pytest.mark.parametrize("name", WALKS)
def test_vectors_are_needed(name):
    """A pool that was not embedded is refused."""
    pool = pool_of(3, cluster=[0] * 3, concepts=[[]] * 3)
    with pytest.raises(ConfigError, match=rf"select\.{name}: .*embed"):
        find("select", name)(pool, quotas_of([0] * 3, [1]))


@pytest.mark.parametrize("name", WALKS)
def test_a_recipe_names_them(name):
    """Each is a selector of a recipe with its defaults, and a mix of the demo pool has its size."""
    assert Recipe(select=name).select.name == name
    assert len(select_mix(demo_pool(images=12), size=9, select=name)) == 9
