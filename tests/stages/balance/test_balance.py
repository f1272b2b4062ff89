"""Laws, oracles and examples of the quotas."""

from collections import Counter
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import MANY_ANSWERS, ONE_ANSWER, labelled_pools, pool_of, unit_rows

from recipe.config.registry import find, names
from recipe.errors import ConfigError, SupplyError
from recipe.stages.balance import Groups, make_quotas
from recipe.stages.balance._raking import Margin, rake, round_strata, tilt
from recipe.stages.balance._rounding import controlled_rounding, fill, largest_remainder

COUNTS = st.lists(st.integers(0, 2000), min_size=1, max_size=12).filter(sum)
USING_GROUPS = ["coincide", "dbp", "hierarchical"]  # rules that are given the samples of each value
RULES = [name for name in names("balance") if name not in ("shares", *USING_GROUPS)]
TASKS = {"task": ("temperature", {"t": 2.0})}
DEFAULT = TASKS | {"cluster": ("temperature", {"t": 1.25})}


@st.composite
def eighths(draw):
    """Draw shares in steps of 1/8, which are exact in floats, with a whole sum, and caps that are not below them."""
    parts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=10))
    parts[-1] += -sum(parts) % 8
    caps = [-(-part // 8) + draw(st.integers(0, 2)) for part in parts]
    return parts, caps


@given(eighths())
def test_largest_remainder_is_hamiltons_method(shares):
    """The floors, and one more for the largest remainders (the smaller index of equal ones), sum exactly."""
    parts, caps = shares
    total = sum(parts) // 8
    expected = [part // 8 for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(parts[i] % 8), i))
    for i in by_remainder[: total - sum(expected)]:
        expected[i] += 1
    assert largest_remainder(np.array(parts) / 8, total, np.array(caps)).tolist() == expected


def test_largest_remainder_refuses_what_caps_do_not_allow():
    """Caps of 2 and 1 cannot give 4, and the message says both numbers."""
    with pytest.raises(SupplyError, match="at least 4 samples, got 3"):
        largest_remainder(np.array([2.0, 2.0]), 4, np.array([2, 1]))


def fill_by_bisection(weights, total, caps):
    """Find the rate at which min(cap, rate * weight) sums to the total, by halving its range 200 times."""
    low, high = 0.0, 1e12
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(caps, middle * weights).sum() < total else (low, middle)
    return np.minimum(caps, high * weights)


@given(
    st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(0, 1e4)), min_size=1, max_size=12),
    st.floats(0, 1),
)
def test_fill_is_the_rate_that_bisection_finds(cells, part):
    """Where weights are positive, the shares are min(cap, a * weight) with the one rate that gives the total."""
    weights, caps = (np.array(column) for column in zip(*cells, strict=True))
    total = part * caps.sum()
    share = fill(weights, total, caps)
    assert share.sum() == pytest.approx(total, abs=1e-6)
    assert (share <= caps).all()
    assert share == pytest.approx(fill_by_bisection(weights, total, caps), abs=1e-5)


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1e-300, 1e-12, 0.1, 1.0, 7.0]), st.integers(0, 50)), min_size=1),
    st.data(),
)
def test_fill_sums_to_the_total_for_any_weights(cells, data):
    """Zero, minute and equal weights still give the wanted sum, with no share above its cap."""
    weights, caps = np.array([w for w, _ in cells]), np.array([float(c) for _, c in cells])
    total = data.draw(st.integers(0, int(caps.sum())))
    share = fill(weights, float(total), caps)
    assert share.sum() == pytest.approx(total, abs=1e-6)
    assert (share >= 0).all()
    assert (share <= caps + 1e-9).all()


def test_fill_gives_weight_zero_the_rest_only():
    """Of 7, the two with a weight take their caps of 2 and 3; the other two share the last 2 by their caps, 1 : 3."""
    assert fill(np.array([1.0, 0, 5, 0]), 7.0, np.array([2.0, 1, 3, 3])).tolist() == [2, 0.5, 3, 1.5]


@st.composite
def tables(draw):
    """Draw a real two-way table with whole row sums; zeros, whole numbers, and single rows and columns among them."""
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    weights = np.array(draw(st.lists(st.integers(0, 9), min_size=rows * columns, max_size=rows * columns)))
    weights = weights.reshape(rows, columns)
    sums = np.array(draw(st.lists(st.integers(0, 30), min_size=rows, max_size=rows))) * (weights.sum(axis=1) > 0)
    return weights * (sums / np.maximum(weights.sum(axis=1), 1))[:, None], sums


@given(tables(), st.booleans())
def test_controlled_rounding_rounds_cells_rows_and_columns(table, sparse):
    """Each cell and each column is the floor or the ceiling of its real value, and the row sums are exact."""
    real, sums = table
    row, column = np.nonzero(real) if sparse else np.indices(real.shape).reshape(2, -1)
    rounded = np.zeros(real.shape, np.int64)
    rounded[row, column] = controlled_rounding(row, column, real[row, column], sums)
    assert rounded.sum(axis=1).tolist() == sums.tolist()
    for whole, value in ((rounded, real), (rounded.sum(axis=0), real.sum(axis=0))):
        assert (whole >= np.floor(value + 1e-6)).all()
        assert (whole <= np.ceil(value - 1e-6)).all()


def somewhere(counts):
    """Place the samples of each value, three at most, anywhere."""
    few = np.minimum(counts, 3)
    vectors, _ = unit_rows(int(counts.sum()), int(few.sum()), 4)
    return Groups(vectors, np.split(np.arange(few.sum()), np.cumsum(few)[:-1]))


@pytest.mark.parametrize("name", names("balance"))
@settings(max_examples=50)
@given(counts=COUNTS, data=st.data())
def test_every_rule_shares_out_the_size(name, counts, data):
    """A rule's quotas sum to the size, never exceed a count, and are the same in each call."""
    counts = np.array(counts)
    size = data.draw(st.integers(1, int(counts.sum())))
    knobs = {}
    if name == "shares":
        weights = st.lists(st.sampled_from([0.0, 0.1, 1.0, 3.0]), min_size=len(counts), max_size=len(counts))
        knobs["weights"] = data.draw(weights.filter(any))
    if name in USING_GROUPS:
        knobs["groups"] = somewhere(counts)
    quota = find("balance", name)(counts, size, **knobs)
    assert quota.sum() == size
    assert (quota >= 0).all()
    assert (quota <= counts).all()
    assert (quota == find("balance", name)(counts, size, **knobs)).all()


@pytest.mark.parametrize("name", [*RULES, "coincide", "dbp"])
@settings(max_examples=50)
@given(counts=COUNTS, data=st.data())
def test_no_value_is_lost(name, counts, data):
    """Where the size allows one sample of each value, each value that the pool has gets at least one."""
    counts = np.array(counts)
    size = data.draw(st.integers(np.count_nonzero(counts), int(counts.sum())))
    knobs = {"groups": somewhere(counts)} if name in USING_GROUPS else {}
    assert (find("balance", name)(counts, size, **knobs) >= np.minimum(counts, 1)).all()


@given(COUNTS, st.data())
def test_rules_meet_at_their_ends(counts, data):
    """Temperature 1 and a cap above all counts are proportional; a cap of 1 is even."""
    counts = np.array(counts)
    size = data.draw(st.integers(1, int(counts.sum())))
    rule = {name: find("balance", name) for name in names("balance")}
    proportional = rule["proportional"](counts, size).tolist()
    assert rule["temperature"](counts, size, t=1).tolist() == proportional
    assert rule["capped"](counts, size, k=2000).tolist() == proportional
    assert rule["capped"](counts, size, k=1).tolist() == rule["even"](counts, size).tolist()


@pytest.mark.parametrize(
    ("name", "counts", "size", "knobs", "quota"),
    [
        # of 1,000 these are 10, 30 and 60 %
        ("proportional", [100, 300, 600], 10, {}, [1, 3, 6]),
        # 10 * (1, 98, 901) / 1000 = (0.01, 0.98, 9.01): the first is lifted to 1; the 9 others go as 0 : 0 : 8.01
        ("proportional", [1, 98, 901], 10, {}, [1, 1, 8]),
        # sqrt of 100, 400, 900 is 10 : 20 : 30, of 60
        ("temperature", [100, 400, 900], 60, {"t": 2}, [10, 20, 30]),
        # cube roots 2 : 3 : 5, of 50 that is (10, 15, 25), but the first has 8 only: the 42 others go as 3 : 5
        ("temperature", [8, 27, 125], 50, {"t": 3}, [8, 16, 26]),
        # min(n, 30) is 10 : 30 : 30, of 14
        ("capped", [10, 60, 90], 14, {"k": 30}, [2, 6, 6]),
        # caps of a tenth of 1,000 are 100 : 100 : 50; at T = 2 their roots go as 10 : 10 : 7.07, of 27
        ("capped", [600, 350, 50], 27, {"k": 0.1, "t": 2}, [10, 10, 7]),
        # thirds of 12 are 4, the first has 2; the 10 others are halved
        ("even", [2, 50, 50], 12, {}, [2, 5, 5]),
        # thirds of 8 are 2.67: two thirds are rounded up, the smaller indices first
        ("even", [9, 9, 9], 8, {}, [3, 3, 2]),
        # 2 : 1 : 1 of 12 is (6, 3, 3), the first has 4; the 8 others are halved
        ("shares", [4, 50, 50], 12, {"weights": [2, 1, 1]}, [4, 4, 4]),
        # the two with a weight have 5 in all; the sixth must come from the third
        ("shares", [2, 3, 50], 6, {"weights": [1, 1, 0]}, [2, 3, 1]),
    ],
)
def test_rules_by_hand(name, counts, size, knobs, quota):
    """Quotas of each rule, worked by hand as the line above each says."""
    assert find("balance", name)(np.array(counts), size, **knobs).tolist() == quota


@pytest.mark.parametrize(
    ("name", "knobs", "message"),
    [
        ("temperature", {"t": 0.5}, "t=0.5"),
        ("capped", {"k": 0}, "k=0"),
        ("capped", {"t": 0.5}, "t=0.5"),
        ("shares", {"weights": [1, -1]}, r"\[1, -1\]"),
        ("shares", {"weights": [0, 0]}, r"\[0, 0\]"),
        ("shares", {"weights": [1, 2, 3]}, "3"),
        ("temperature", {"t": float("nan")}, "nan"),
        ("shares", {"weights": [1, float("nan")]}, "nan"),
    ],
)
def test_a_knob_out_of_range_is_named(name, knobs, message):
    """A knob out of its range raises an error with its value."""
    with pytest.raises(ConfigError, match=message):
        find("balance", name)(np.array([5, 5]), 4, **knobs)


WHOLE_TABLES = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        *(
            st.lists(st.integers(1, 20), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
                lambda cells: np.array(cells).reshape(shape)
            )
            for _ in range(2)
        )
    )
)


@settings(max_examples=50)
@given(WHOLE_TABLES)
def test_raking_is_iterative_proportional_fitting(two):
    """Away from the supply, raking to rows and columns gives what the textbook's loop gives."""
    pool, target = two
    size = int(target.sum())
    expected = pool * (size / pool.sum())
    for _ in range(2000):
        expected = expected * (target.sum(axis=1) / expected.sum(axis=1))[:, None]
        expected = expected * (target.sum(axis=0) / expected.sum(axis=0))
    row, column = np.indices(pool.shape).reshape(2, -1)
    share = rake(pool.ravel() * 10_000, [Margin(row, target.sum(axis=1)), Margin(column, target.sum(axis=0))], size)
    assert share == pytest.approx(expected.ravel(), abs=1e-4 * size)


@st.composite
def strata(draw):
    """Draw supplies of cells, two partitions of them, sums wanted of each partition that its supply allows, a tilt."""
    m = draw(st.integers(1, 8))
    supply = np.array(draw(st.lists(st.integers(1, 30), min_size=m, max_size=m)))
    size = draw(st.integers(1, int(supply.sum())))
    margins = []
    for _ in range(2):
        code = np.unique(draw(st.lists(st.integers(0, 3), min_size=m, max_size=m)), return_inverse=True)[1]
        rule = find("balance", draw(st.sampled_from(RULES)))
        margins.append(Margin(code, rule(np.bincount(code, supply).astype(np.int64), size)))
    yes_tilt = np.array(draw(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.5]), min_size=m, max_size=m)))
    return supply, size, margins, yes_tilt


@settings(max_examples=60)
@given(strata(), st.booleans())
def test_raking_stays_within_the_supply(drawn, tilted_too):
    """Raked sizes sum to the size and are between zero and the supply, even if margins contradict each other."""
    supply, size, margins, yes_tilt = drawn
    share = rake(supply, margins, size, yes_tilt=yes_tilt if tilted_too else None)
    assert share.sum() == pytest.approx(size)
    assert (share >= 0).all()
    assert (share <= supply + 1e-9).all()


def test_the_later_margin_wins():
    """With margins of 9 : 1 and then 4 : 6 for the same two cells, raking gives 4 and 6."""
    code = np.array([0, 1])
    margins = [Margin(code, np.array([9, 1])), Margin(code, np.array([4, 6]))]
    assert rake(np.array([50, 50]), margins, 10) == pytest.approx([4, 6])
    assert rake(np.array([50, 50]), margins[::-1], 10) == pytest.approx([9, 1])


def test_less_than_a_limit_is_as_good():
    """A limit of 5 holds a value that the pool's shares put at 8, and leaves one at 2 alone."""
    code = np.array([0, 1])
    assert rake(np.array([80, 20]), [Margin(code, np.array([5, 100]), at_most=True)], 10) == pytest.approx(
        [5, 5], abs=1e-3
    )
    assert rake(np.array([20, 80]), [Margin(code, np.array([5, 100]), at_most=True)], 10) == pytest.approx([2, 8])


def extreme_tilts(supply, yes_tilt, total):
    """Return the least and the largest summed tilt that a total can have within the supply."""
    ends = []
    for order in (np.argsort(yes_tilt), np.argsort(-yes_tilt)):
        before = np.cumsum(supply[order]) - supply[order]
        ends.append(float(np.clip(total - before, 0, supply[order]) @ yes_tilt[order]))
    return ends


@given(
    st.lists(
        st.tuples(st.integers(1, 100), st.floats(0.01, 1), st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])),
        min_size=1,
        max_size=10,
    )
)
def test_tilting_reaches_zero_or_the_end(cells):
    """The summed tilt is zero where some choice within the supply makes it so, else as near to zero as any does."""
    supply = np.array([float(s) for s, _, _ in cells])
    share = supply * np.array([part for _, part, _ in cells])
    yes_tilt = np.array([tilts for _, _, tilts in cells])
    total = float(share.sum())
    tilted = tilt(share, supply, yes_tilt, total)
    low, high = extreme_tilts(supply, yes_tilt, total)
    assert tilted.sum() == pytest.approx(total)
    assert (tilted <= supply + 1e-9).all()
    assert tilted @ yes_tilt == pytest.approx(min(max(0.0, low), high), abs=1e-4 * total)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 100), st.sampled_from([-20.0, -0.5, 0.0, 0.5, 1.0, 7.5, 30.0])),
        min_size=1,
        max_size=10,
    ),
    st.data(),
)
def test_raking_levels_samples_of_very_many_answers(cells, data):
    """Samples that tilt sixty times as far as others leave the raked tilt at zero, or as near to it as any choice."""
    supply, yes_tilt = np.array([s for s, _ in cells]), np.array([tilts for _, tilts in cells])
    size = data.draw(st.integers(1, int(supply.sum())))
    low, high = extreme_tilts(supply, yes_tilt, size)
    assert rake(supply, [], size, yes_tilt=yes_tilt) @ yes_tilt == pytest.approx(min(max(0.0, low), high), abs=0.05)


def test_tilting_by_hand():
    """Of 12, 8 tilt by +1/2 and 4 by -1/2; the tilt moves two, and where only 5 tilt by -1/2 it moves one."""
    share, yes_tilt = np.array([8.0, 4.0]), np.array([0.5, -0.5])
    assert tilt(share, np.array([20.0, 20.0]), yes_tilt, 12.0) == pytest.approx([6, 6])
    assert tilt(share, np.array([20.0, 5.0]), yes_tilt, 12.0) == pytest.approx([7, 5])


@settings(max_examples=60)
@given(strata())
def test_rounding_keeps_the_first_margin(drawn):
    """Without a tilt, rounded strata sum to the size, lie within supply, and are whole wherever the margin was."""
    supply, size, margins, _ = drawn
    share = rake(supply, margins[::-1], size)
    whole = round_strata(share, supply, margins[0], size)
    assert whole.sum() == size
    assert ((whole >= 0) & (whole <= supply)).all()
    real, got = (np.bincount(margins[0].code, cells) for cells in (share, whole))
    assert np.abs(got - real).max() < 1 + 1e-6


@settings(max_examples=60)
@given(strata())
def test_no_move_of_one_sample_would_tilt_less(drawn):
    """After rounding, no sample moved to another stratum tilts less, but for the last one of a value of the margin."""
    supply, size, margins, yes_tilt = drawn
    whole = round_strata(rake(supply, margins, size, yes_tilt=yes_tilt), supply, margins[0], size, yes_tilt=yes_tilt)
    assert whole.sum() == size
    assert ((whole >= 0) & (whole <= supply)).all()
    code = margins[0].code
    counts = np.bincount(code, whole)
    for giver, taker in product(range(len(yes_tilt)), repeat=2):
        last = counts[code[giver]] == 1 and code[giver] != code[taker]
        if giver != taker and whole[giver] > 0 and whole[taker] < supply[taker] and not last:
            assert abs(whole @ yes_tilt + yes_tilt[taker] - yes_tilt[giver]) >= abs(whole @ yes_tilt) - 1e-6


def supply_of(pool, per_image=None):
    """Count the samples that can be picked, image by image."""
    rows = pool.rows.filter(pool.rows["problem"].is_null())
    images = rows["image"].drop_nulls().value_counts()["count"].to_list()
    return rows["image"].null_count() + sum(min(count, per_image or count) for count in images)


def wanted(quotas, pool, column):
    """Sum the quotas of cells by a column of the pool; all rows of a cell share it, the cluster aside."""
    cells = dict(zip(quotas.cell.tolist(), pool.rows[column].to_list(), strict=True))
    sums = {}
    for cell, value in cells.items():
        if cell >= 0:
            sums[value] = sums.get(value, 0) + int(quotas.quota[cell])
    return sums


@settings(max_examples=150, deadline=None)
@given(
    pool=labelled_pools(answers=MANY_ANSWERS),
    margins=st.fixed_dictionaries(
        {},
        optional={
            "task": st.sampled_from([("even", {}), ("temperature", {"t": 2.0}), ("shares", {"weights": {"ocr": 1}})]),
            "source": st.sampled_from([("proportional", {}), ("even", {})]),
            "cluster": st.sampled_from([("temperature", {"t": 1.25}), ("even", {}), ("shares", {"weights": {2: 1}})]),
        },
    ),
    yes_share=st.sampled_from([None, 0.0, 0.3, 0.5, 1.0]),
    per_image=st.sampled_from([None, 1, 2]),
    data=st.data(),
)
def test_quotas_sum_to_the_size(pool, margins, yes_share, per_image, data):
    """Any margins, tilt and image limit: the quotas sum to the size and fit their cells, of eligible rows only."""
    room = supply_of(pool, per_image)
    assume(room)
    ocr = {"weights": {"ocr": 1}}
    assume(margins.get("task", ("", {}))[1] != ocr or "ocr" in pool.rows.filter(pool.eligible)["task"].to_list())
    two = {"weights": {2: 1}}
    assume(margins.get("cluster", ("", {}))[1] != two or 2 in pool.rows.filter(pool.eligible)["cluster"].to_list())
    size = data.draw(st.integers(1, room))
    quotas = make_quotas(pool, size, margins=margins, yes_share=yes_share, per_image=per_image)
    assert quotas.size == size
    assert ((quotas.cell >= 0) == pool.eligible).all()
    supply = np.bincount(quotas.cell[pool.eligible], minlength=len(quotas.quota))
    assert ((quotas.quota >= 0) & (quotas.quota <= supply)).all()


def yes_less_no(quotas, pool):
    """Count the yes answers under the quotas minus the no answers."""
    yes_tilt = dict(zip(quotas.cell.tolist(), (pool.rows["n_yes"] - pool.rows["n_no"]).to_list(), strict=True))
    return sum(yes_tilt[cell] * count for cell, count in enumerate(quotas.quota.tolist()))


@settings(max_examples=150, deadline=None)
@given(pool=labelled_pools(answers=ONE_ANSWER), margins=st.sampled_from([{}, TASKS, DEFAULT]), data=st.data())
def test_yes_and_no_are_as_many(pool, margins, data):
    """In a pool of single questions yes and no differ by at most one, or by as little as the supply allows.

    A task that is wanted stays in the mix, so one all of whose samples are answered yes brings one yes at least.
    """
    rows = pool.rows.filter(pool.eligible)
    assume(len(rows))
    size = data.draw(st.integers(1, len(rows)))
    quotas = make_quotas(pool, size, margins=margins, yes_share=0.5)
    yes, no = int(rows["n_yes"].sum()), int(rows["n_no"].sum())
    others = len(rows) - yes - no
    one_sided = rows.group_by("task").agg(yes=(pl.col("n_yes") == 1).all(), no=(pl.col("n_no") == 1).all())
    wanted = quotas.report.filter(pl.col("margin") == "task", pl.col("wanted") > 0)["value"]
    kept = one_sided.filter(pl.col("task").is_in(wanted.implode()))
    forced = [int(kept[name].sum()) for name in ("yes", "no")]
    counts = [(y, n) for y in range(forced[0], yes + 1) for n in range(forced[1], no + 1)]
    least = min(abs(y - n) for y, n in counts if 0 <= size - y - n <= others)
    assert abs(yes_less_no(quotas, pool)) <= max(1, least)


@settings(max_examples=100, deadline=None)
@given(pool=labelled_pools(answers=st.just((0, 0))), data=st.data())
def test_every_task_is_present(pool, data):
    """Where the size allows one sample of each task, each task that may be picked is in the mix."""
    tasks = set(pool.rows.filter(pool.eligible)["task"])
    assume(tasks)
    size = data.draw(st.integers(len(tasks), int(pool.eligible.sum())))
    quotas = make_quotas(pool, size, margins=DEFAULT, yes_share=0.5)
    assert {task for task, count in wanted(quotas, pool, "task").items() if count} == tasks


def test_a_cell_counts_an_image_as_often_as_the_limit():
    """Of five samples of one image two count, so the pool of eight can give five; cell supplies are rounded up."""
    pool = pool_of(8, image=["1.jpg"] * 5 + [None] * 3, task=["ocr"] * 8)
    quotas = make_quotas(pool, 5, margins=TASKS, per_image=2)
    assert quotas.report.to_dicts() == [{"margin": "task", "value": "ocr", "supply": 5, "wanted": 5, "quota": 5}]
    assert len(set(quotas.image[:5].tolist())) == 1
    assert len(set(quotas.image.tolist())) == 4
    with pytest.raises(SupplyError, match="size=6: the pool can give 1 to 5 samples with at most 2 per image"):
        make_quotas(pool, 6, margins=TASKS, per_image=2)


def test_a_multi_turn_sample_tilts_with_all_its_answers():
    """Three samples that answer yes twice and no never need six that answer no: 9 of 20 are then level."""
    pool = pool_of(20, n_yes=[2] * 3 + [0] * 17, n_no=[0] * 3 + [1] * 17)
    quotas = make_quotas(pool, 9, margins={}, yes_share=0.5)
    assert yes_less_no(quotas, pool) == 0
    assert sorted(quotas.quota.tolist()) == [3, 6]


def test_a_margin_is_met_and_reported():
    """Of 9 samples in two sources, even shares ask for 4 and 5 more than the 2 that b.json has: 2 it is, and 7."""
    pool = pool_of(14, source=["a.json"] * 12 + ["b.json"] * 2)
    quotas = make_quotas(pool, 9, margins={"source": ("even", {})})
    assert quotas.report.rows() == [("source", "a.json", 12, 7, 7), ("source", "b.json", 2, 2, 2)]
    assert wanted(quotas, pool, "source") == {"a.json": 7, "b.json": 2}


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_size_without_supply_is_refused(size):
    """Of five samples two have a problem: sizes 1 to 3 are possible, and the message says so."""
    pool = pool_of(5, problem=["empty", None, None, "empty", None])
    with pytest.raises(SupplyError, match=f"size={size}: the pool can give 1 to 3 samples"):
        make_quotas(pool, size, margins={})


def test_limits_that_leave_too_few_are_refused():
    """With one sample of each of two sources allowed, a size of three is refused."""
    pool = pool_of(6, source=["a.json"] * 3 + ["b.json"] * 3)
    with pytest.raises(SupplyError, match="size=3: the limits of at_most leave 2 samples"):
        make_quotas(pool, 3, margins={}, at_most={"source": {"a.json": 1, "b.json": 1}})


@pytest.mark.parametrize("knobs", [{"margins": {"tsk": ("even", {})}}, {"margins": {}, "at_most": {"tsk": {"ocr": 1}}}])
def test_a_column_that_the_pool_lacks_is_refused(knobs):
    """A margin or a limit on an unknown column is an error that suggests the nearest known one."""
    with pytest.raises(ConfigError, match="column 'tsk' is not in the pool, did you mean 'task'"):
        make_quotas(pool_of(3, task=["ocr"] * 3), 1, **knobs)


@pytest.mark.parametrize("limits", [{"cluster": {"0": 2}}, {"task": {"ocr": 1}, "source": {"pool.json": 1}}])
def test_limits_that_cannot_be_kept_are_refused(limits):
    """Limits on clusters, whose numbers no recipe knows, and on two columns at once are refused."""
    pool = pool_of(2, task=["ocr", "caption"], cluster=[0, 1])
    with pytest.raises(ConfigError, match=f"at_most of one column, not of clusters, got {', '.join(limits)}"):
        make_quotas(pool, 1, margins={}, at_most=limits)


@st.composite
def limited_pools(draw):
    """Draw a pool of up to three sources whose answers tilt to yes, limits on some of them, and a size they allow."""
    sample = st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 4), st.integers(0, 1))
    source, task, yes, no = zip(*draw(st.lists(sample, min_size=3, max_size=40)), strict=True)
    pool = pool_of(len(source), source=source, task=task, n_yes=yes, n_no=no, cluster=[n % 3 for n in range(len(yes))])
    supply = Counter(source)
    limits = {name: draw(st.integers(0, count)) for name, count in supply.items() if draw(st.booleans())}
    most = {name: limits.get(name, count) for name, count in supply.items()}
    room = sum(most.values())
    assume(room)
    return pool, limits, most, draw(st.integers(1, room) | st.just(room))


@settings(max_examples=150, deadline=None)
@given(limited_pools(), st.sampled_from([{}, {"task": ("even", {})}, DEFAULT]), st.sampled_from([None, 0.3, 0.5]))
def test_a_limit_holds(drawn, margins, yes_share):
    """No source exceeds its limit, for any other margins, and all reach their limits if the size needs it."""
    pool, limits, most, size = drawn
    quotas = make_quotas(pool, size, margins=margins, yes_share=yes_share, at_most={"source": limits})
    assert quotas.size == size
    given_by = {name: wanted(quotas, pool, "source").get(name, 0) for name in most}
    assert all(given_by[name] <= limit for name, limit in limits.items())
    assert given_by == most or size < sum(most.values())


def test_a_limit_holds_in_four_thousand_cases():
    """For any raked sizes, limits of up to three values and tilts of strata, no limit is exceeded."""
    rng = np.random.default_rng(0)
    for _ in range(4000):
        m = int(rng.integers(3, 9))
        code = np.unique(rng.integers(3, size=m), return_inverse=True)[1]
        supply, tilt_of = rng.integers(1, 12, size=m), rng.choice([-0.5, 0.0, 0.5, 1.0, 1.5, 2.0], size=m)
        most = np.minimum(np.bincount(code, supply), rng.integers(1, 12, size=code.max() + 1))
        size = int(rng.integers(1, most.sum() + 1))
        share = fill(rng.random(m), float(size), supply.astype(np.float64))
        whole = round_strata(share, supply, Margin(code, most, at_most=True), size, yes_tilt=tilt_of)
        assert whole.sum() == size
        assert ((whole >= 0) & (whole <= supply)).all()
        assert (np.bincount(code, whole) <= most).all()


def test_a_limit_of_no_source_is_refused():
    """A limit on a value that no sample has is an error that suggests the nearest value."""
    pool = pool_of(2, task=["ocr"] * 2, cluster=[0, 0], n_yes=[0, 0], n_no=[0, 0])
    with pytest.raises(ConfigError, match=r"'pool\.jsn', did you mean 'pool\.json'"):
        make_quotas(pool, 1, margins=DEFAULT, at_most={"source": {"pool.jsn": 1}})


@given(pool=labelled_pools(answers=ONE_ANSWER), data=st.data())
def test_no_task_is_lost_to_the_yes_share(pool, data):
    """Where the size allows one sample of each task, every task stays, however one-sided its answers are."""
    tasks = set(pool.rows.filter(pool.eligible)["task"].to_list())
    supply = int(pool.eligible.sum())
    assume(supply)
    size = data.draw(st.integers(len(tasks), supply))
    quotas = make_quotas(pool, size, margins=DEFAULT, yes_share=0.5)
    assert {task for task, quota in wanted(quotas, pool, "task").items() if quota} == tasks
