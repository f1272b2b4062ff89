"""Why a sample was picked, and what the pool could not supply."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import pool_of, unit_rows

from recipe import Pool, demo_pool, select_mix
from recipe.config.sections import Balance
from recipe.errors import ConfigError
from recipe.report.why import row_of
from recipe.stages.balance import make_quotas
from recipe.stages.balance._unmet import wishes

TASKS = {"even": {}, "proportional": {}, "temperature": {"t": 2.0}, "capped": {"k": 3}}


@pytest.fixture(scope="module")
def mix():
    """A mix of the demo pool."""
    return select_mix(demo_pool(images=20), size=100)


# why


def test_a_pick_tells_its_rank_and_gains(mix):
    """A pick says the number at which it was picked, and its gains are those that the selector gave."""
    for rank in (0, 41, 99):
        why = mix.why(mix.keys[rank])
        assert (why.rank, why.key, why.nearest, why.problem) == (rank, mix.keys[rank], None, None)
        assert why.gains == {term: gain[rank] for term, gain in mix.picks.gains.items()}
        assert f"at rank {rank}," in repr(why)


def test_a_pick_stands_for_what_no_other_pick_is_nearer_to(mix):
    """The samples that a pick represents are those of its cluster whose best pick it is, by a loop over all pairs."""
    pool, vectors = mix.pool, mix.pool.vectors.astype(np.float32)
    cluster = pool.rows["cluster"].to_numpy()
    found = {int(row): [] for row in mix.picks.rows}
    for row in np.flatnonzero(pool.eligible):
        near = [pick for pick in sorted(found) if cluster[pick] == cluster[row]]
        if near and row not in found:
            found[near[int(np.argmax(vectors[near] @ vectors[row]))]].append(int(row))
    for pick, rows in found.items():
        why = mix.why(pool.rows["key"][pick])
        assert why.count == len(rows)
        assert {like["row"] for like in why.stands_for} <= set(rows)
        similarities = [like["similarity"] for like in why.stands_for]
        assert similarities == sorted(similarities, reverse=True)
        assert len(similarities) == min(5, len(rows))


def test_one_that_was_not_picked_names_its_stand_in(mix):
    """An eligible sample that was not picked names the pick that represents it, which counts it."""
    free = mix.scores.filter(pl.col("rank").is_null() & pl.col("problem").is_null() & pl.col("nearest").is_not_null())
    why = mix.why(free["key"][0])
    assert why.rank is None
    assert why.gains == {}
    assert why.nearest["key"] in mix.keys
    assert mix.why(why.nearest["key"]).count > 0
    assert "others of its cell had a higher gain" in repr(why)


def test_a_rejected_sample_tells_its_problem(mix):
    """A sample that may not be picked says why, and has no cell."""
    lost = mix.pool.rows.filter(pl.col("problem").is_not_null() & ~pl.col("problem").str.starts_with("dup"))
    why = mix.why(lost["key"][0])
    assert (why.problem, why.cell) == (lost["problem"][0], {})
    assert lost["problem"][0] in repr(why)


def test_cells_and_scores_are_those_of_the_table(mix):
    """Quota and supply of the cell, and the share of eligible samples that score less, are counted from the table."""
    why = mix.why(mix.keys[7])
    rows = mix.pool.rows
    cell = rows["cell"][why.row]
    assert why.cell == {"number": cell, "quota": rows["cell_quota"][why.row], "supply": (rows["cell"] == cell).sum()}
    for name, (own, less) in why.scores.items():
        values = rows.filter(mix.pool.eligible)[name]
        assert own == pytest.approx(rows[name][why.row], abs=1e-4)
        assert less == pytest.approx((values < rows[name][why.row]).mean(), abs=1e-4)


def test_a_key_may_be_cut_short_if_it_stays_clear(mix):
    """The beginning of a key is enough where it is the only one; else the error says how many there are."""
    key = mix.keys[0]
    assert mix.why(key[:20]).key == key
    with pytest.raises(ConfigError, match="keys that begin so"):
        mix.why(key[:1])
    with pytest.raises(ConfigError, match="none"):
        mix.why("no key")


def test_of_twins_the_one_that_may_be_picked_is_told():
    """Where a sample occurs twice, its key means the row without a problem."""
    pool = pool_of(3, key=["a", "a", "b"], problem=["dup:a", None, None])
    assert row_of(type("Any", (), {"pool": pool})(), "a") == 1


def test_what_is_told_is_escaped(mix):
    """Text of samples is no markup in a notebook."""
    rows = mix.pool.rows.with_columns(id=pl.lit("<script>alert(1)</script>"))
    html = type(mix)(Pool(rows), mix.picks, mix.quotas, mix.recipe).why(mix.keys[0])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


# gaps


def test_gaps_by_hand():
    """Ten of a rare task wanted and four there: six are missing, and where they are missing is said."""
    n = 44
    vectors, _ = unit_rows(0, n, 8)
    task = ["ocr"] * 4 + ["caption"] * 40
    pool = pool_of(n, task=task, n_yes=[0] * n, n_no=[0] * n, cluster=[0] * n)
    wish, supply = wishes(pool, 20, Balance(margins={"task": "even"}, yes_share=None))
    assert wish[:4].sum() == pytest.approx(10)
    assert wish[4:].sum() == pytest.approx(10)
    assert np.maximum(wish - supply, 0).sum() == pytest.approx(6)
    assert len(vectors) == n


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 30),
    st.sampled_from(sorted(TASKS)),
)
def test_wishes_are_of_the_size_and_follow_the_rule(samples, size, rule):
    """Wishes sum to the size, none is for what may not be picked, and tasks get the shares that their rule asks for."""
    task, cluster, sound = zip(*samples, strict=True)
    if not any(sound):
        return
    problem = [None if good else "L06" for good in sound]
    pool = pool_of(len(samples), task=list(task), cluster=list(cluster), problem=problem)
    wish, supply = wishes(pool, size, Balance(margins={"task": {rule: TASKS[rule]}}, yes_share=None))
    assert wish.sum() == pytest.approx(size)
    assert (wish[~np.array(sound)] == 0).all()
    assert (supply == np.array(sound)).all()
    counts = {name: sum(t == name and good for t, good in zip(task, sound, strict=True)) for name in set(task)}
    weight = {"even": lambda n: n > 0, "proportional": float, "temperature": np.sqrt, "capped": lambda n: min(n, 3)}
    shares = {name: weight[rule](n) for name, n in counts.items()}
    least = size >= sum(n > 0 for n in counts.values())
    for name, share in shares.items():
        got = wish[np.array(task) == name].sum()
        assert abs(got - size * share / sum(shares.values())) < 1 + (len(shares) if least else 0)


@given(st.lists(st.sampled_from("aaab"), min_size=2, max_size=30), st.data())
def test_nothing_is_short_where_quotas_meet_the_wishes(tasks, data):
    """Where no value is asked for more than it holds, wishes are the quotas and nothing is missing."""
    size = data.draw(st.integers(1, len(tasks)))
    pool = pool_of(len(tasks), task=tasks, cluster=[0] * len(tasks))
    balance = Balance(margins={"task": "proportional"}, yes_share=None)
    wish, supply = wishes(pool, size, balance)
    quota = make_quotas(pool, size, margins=balance.margins)
    for cell in range(len(quota.quota)):
        assert wish[quota.cell == cell].sum() == pytest.approx(quota.quota[cell], abs=1 + 1e-9)
    assert np.maximum(wish - supply, 0).sum() < 1


def test_gaps_of_a_mix():
    """A mix that asks evenly for tasks is short of its rare ones; lines sum to the total and make the request."""
    even = select_mix(demo_pool(images=20), size=300, balance={"margins": {"task": "even"}, "yes_share": None})
    gaps = even.gaps()
    table = gaps.table
    supply = even.pool.rows.filter(even.pool.eligible)["task"].value_counts(name="n")
    tasks = dict(supply.iter_rows())
    share = 300 / len(tasks)
    short = {task: share - n for task, n in tasks.items() if n < share}
    assert short
    by_task = dict(table.group_by("task").agg(pl.col("short").sum()).iter_rows())
    assert set(by_task) == set(short)
    for task, missing in short.items():
        assert by_task[task] == pytest.approx(missing, abs=2)
    assert gaps.short == pytest.approx(sum(short.values()), abs=2)
    asked = json.loads(gaps.to_json())
    assert [request["count"] for request in asked["requests"]] == np.ceil(table["short"]).to_list()
    for request, line in zip(asked["requests"], table.iter_rows(named=True), strict=True):
        assert request["task"] == line["task"]
        for like in request["like"]:
            row = even.pool.rows.filter(pl.col("key") == like["key"]).row(0, named=True)
            assert (row["task"], row["answer"], row["cluster"]) == (line["task"], line["answer"], line["cluster"])
    assert "samples are missing" in repr(gaps)


def test_gaps_by_concept_count_each_concept_of_a_sample(mix):
    """By concept a line holds the samples that touch it; a sample that touches two counts in both."""
    gaps = select_mix(demo_pool(images=20), size=300, balance={"margins": {"task": "even"}}).gaps("concept")
    rows = mix.pool.rows.filter(mix.pool.eligible)
    for line in gaps.table.head(20).iter_rows(named=True):
        of_line = rows.filter((pl.col("task") == line["task"]) & (pl.col("answer") == line["answer"]))
        assert line["supply"] == of_line["concepts"].list.contains(line["concept"]).sum()
    with pytest.raises(ConfigError, match="by='colour'"):
        mix.gaps("colour")


def test_a_task_that_no_sample_has_is_a_gap():
    """A share for a task that is not in the pool is listed with all the samples that it wants."""
    margins = {"task": {"shares": {"weights": {"conversation": 3, "counting": 1}}}}
    gaps = select_mix(demo_pool(images=10), size=40, balance={"margins": margins, "yes_share": None}).gaps()
    line = gaps.table.filter(pl.col("task") == "counting").row(0, named=True)
    assert (line["supply"], line["wanted"], line["short"], line["answer"]) == (0, 10, 10, None)
    assert json.loads(gaps.to_json())["requests"][0] == {"count": 10, "task": "counting", "about": [], "like": []}


def test_a_mix_without_gaps_says_so():
    """Where everything asked for is there, the table is empty and the words say so."""
    small = select_mix(demo_pool(images=20), size=20, balance={"margins": {"task": "proportional"}, "yes_share": None})
    gaps = small.gaps()
    assert len(gaps) == 0
    assert "no gaps" in repr(gaps)
    assert json.loads(gaps.to_json())["requests"] == []
