"""Statistics: counted as naive Python counts, read back as they were written."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import polars as pl
import pytest
from builders import make_pool

from recipe.embed.hashing import unit_rows
from recipe.errors import InputError
from recipe.report import _coverage
from recipe.report.stats import coverage, make_stats, read_stats

N = 60
RNG = np.random.default_rng(1)
TASKS = ["conversation", "detail", "referring", None]
CONCEPTS = ["cat", "dog", "red", "left of"]


def drawn(values):
    """One of the values for each sample."""
    return [values[i] for i in RNG.integers(len(values), size=N)]


@pytest.fixture(scope="module")
def pool():
    """A pool with every label that statistics count."""
    return make_pool(
        ["word " * int(n) for n in RNG.integers(1, 40, size=N)],
        vectors=unit_rows(RNG.standard_normal((N, 8)).astype(np.float32)),
        image=drawn(["1.jpg", "2.jpg", "3.jpg", None]),
        source=drawn(["b.json", "a.json"]),
        problem=drawn(["L06", "dup:0a", "dup:0b", *[None] * 9]),
        task=drawn(TASKS),
        answer=drawn(["yes", "no", "phrase"]),
        n_qas=RNG.integers(1, 5, size=N).tolist(),
        n_yes=RNG.integers(0, 2, size=N).tolist(),
        n_no=RNG.integers(0, 2, size=N).tolist(),
        concepts=[[c for c in CONCEPTS if RNG.random() < 0.4] for _ in range(N)],
        cluster=RNG.integers(0, 6, size=N).tolist(),
    )


@pytest.fixture(scope="module")
def picked(pool):
    """Some eligible rows."""
    return RNG.permutation(np.flatnonzero(pool.eligible))[:11]


def counted(values):
    """Count what is not null, by name."""
    return dict(sorted(Counter(value for value in values if value is not None).items()))


def check_side(side, rows):
    """Compare one side with naive Python."""
    table = rows.to_dicts()
    images = [row["image"] for row in table]
    lengths = [row["n_words"] for row in table]
    assert side.samples == len(table)
    assert side.images == len(set(images) - {None})
    assert side.text_only == images.count(None)
    assert [side.qas, side.yes, side.no] == [sum(row[name] for row in table) for name in ("n_qas", "n_yes", "n_no")]
    assert [side.words, side.tokens] == [sum(lengths), sum(row["n_tokens"] for row in table)]
    assert side.sources == counted(row["source"] for row in table)
    assert side.tasks == counted(row["task"] for row in table)
    assert side.answers == counted(row["answer"] for row in table)
    assert side.concepts == counted(concept for row in table for concept in row["concepts"])
    assert side.clusters == len({row["cluster"] for row in table})
    assert (side.words_a_sample[0], side.words_a_sample[-1]) == (min(lengths), max(lengths))
    assert side.words_a_sample[3] == np.median(lengths)
    assert side.words_a_sample == sorted(side.words_a_sample)
    assert list(side.sources) == sorted(side.sources)


def test_counts_are_those_of_naive_python(pool, picked):
    """Both sides are counted as a loop over their samples counts them, in the order of names."""
    stats = make_stats(pool, picked)
    check_side(stats.pool, pool.rows)
    check_side(stats.mix, pool.rows[picked])


def test_rejects_are_counted_by_code(pool, picked):
    """Rejected rows are counted by the code before the colon."""
    assert make_stats(pool, picked).rejected == counted(
        problem and problem.split(":")[0] for problem in pool.rows["problem"]
    )


def test_coverage_is_that_of_brute_force(pool, picked):
    """Coverage is the mean over eligible samples of their best cosine to a pick."""
    best = [max(float(pool.vectors[i] @ pool.vectors[j]) for j in picked) for i in np.flatnonzero(pool.eligible)]
    reached = make_stats(pool, picked).coverage
    assert reached["mix"] == pytest.approx(np.mean(best), abs=1e-5)
    assert reached["points"] == len(best)


def test_coverage_in_parts():
    """More points and picks than one block holds give what one multiplication gives."""
    vectors = unit_rows(np.random.default_rng(0).standard_normal((5000, 4)).astype(np.float32))
    points, picks = np.arange(0, 5000), np.arange(0, 5000, 7)[::-1]
    picks = np.concatenate([picks, np.arange(1, 4500)])  # more than 4,096
    assert coverage(vectors, points, picks) == pytest.approx((vectors @ vectors[picks].T).max(axis=1).mean(), abs=1e-5)


def test_a_large_mix_is_estimated_on_fewer_points(pool, picked, monkeypatch):
    """Points times picks stay within the budget, and the estimate within a few of its standard errors."""
    whole = make_stats(pool, picked).coverage
    monkeypatch.setattr(_coverage, "PAIRS", 20 * len(picked))
    part = make_stats(pool, picked).coverage
    assert part["points"] == 20
    assert 0 < abs(part["mix"] - whole["mix"]) < 4 * part["error"]


def test_everything_picked_covers_everything(pool):
    """A mix of all eligible samples has coverage 1, and so has as large a random one."""
    reached = make_stats(pool, np.flatnonzero(pool.eligible)).coverage
    assert reached["mix"] == reached["random"] == pytest.approx(1, abs=1e-5)


def test_random_coverage_hangs_on_the_seed_alone(pool, picked):
    """The random mix beside the mix is the same for a seed, however the picks are ordered, and another for another."""
    twice = [make_stats(pool, rows, seed=3).coverage["random"] for rows in (picked, picked[::-1])]
    assert twice[0] == twice[1]
    assert len({make_stats(pool, picked, seed=seed).coverage["random"] for seed in range(5)}) > 1


def test_without_vectors_there_is_no_coverage(pool, picked):
    """A pool that was not embedded, and an empty mix, have no coverage, and are counted all the same."""
    bare = make_stats(make_pool(["one", "two"]), np.array([1]))
    assert (bare.coverage, bare.mix.samples, bare.mix.tasks, bare.mix.clusters) == ({}, 1, {}, 0)
    empty = make_stats(pool, picked[:0])
    assert (empty.coverage, empty.mix.samples, empty.mix.words_a_sample) == ({}, 0, [0] * 7)


def test_json_round_trip(pool, picked, tmp_path):
    """What is written as JSON is plain ASCII and is read back as the same statistics, value for value."""
    stats = make_stats(pool, picked, certificate=0.98765432)
    told = stats.to_json()
    (tmp_path / "stats.json").write_text(told, "ascii")
    again = read_stats(tmp_path / "stats.json")
    assert again == stats
    assert again.to_json() == told
    assert again.certificate == 0.987654


@pytest.mark.parametrize(
    "told",
    ["", "[]", "3", "{}", '{"format": 1}', '{"format": 1, "mix": {}, "pool": {}}', '{"format": 1, "mix": 3}'],
)
def test_other_json_is_refused(told, tmp_path):
    """A file that holds no statistics is refused in one line that names it."""
    path = tmp_path / "stats.json"
    path.write_text(told)
    with pytest.raises(InputError, match=r"stats\.json: cannot read the statistics") as caught:
        read_stats(path)
    assert "\n" not in str(caught.value)


def test_other_format_is_refused(pool, picked, tmp_path):
    """Statistics of another version are refused by both numbers."""
    path = tmp_path / "stats.json"
    path.write_text(json.dumps(make_stats(pool, picked).to_dict() | {"format": 7}))
    with pytest.raises(InputError, match="expected statistics of format 1, got 7"):
        read_stats(path)


def test_missing_file_is_refused(tmp_path):
    """A file that is not there is an input error."""
    with pytest.raises(InputError, match=r"none\.json"):
        read_stats(tmp_path / "none.json")


def test_table_lines(pool, picked):
    """The table has one line for each total, for yes and no, and for each value of the pool, with its shares."""
    stats = make_stats(pool, picked)
    table = stats.table()
    named = {row["what"]: row for row in table.to_dicts()}
    groups = sum(len(getattr(stats.pool, group)) for group in ("tasks", "answers", "sources", "concepts"))
    assert table.height == len(named) == 7 + 2 + groups
    assert (named["samples"]["mix"], named["samples"]["pool"], named["samples"]["mix %"]) == (11, N, None)
    red = sum("red" in concepts for concepts in pool.rows["concepts"][picked])
    assert named["concepts: red"]["mix"] == red
    assert named["concepts: red"]["mix %"] == pytest.approx(100 * red / 11, abs=0.005)
    closed = stats.pool.yes + stats.pool.no
    assert named["yes answers"]["pool %"] == pytest.approx(100 * stats.pool.yes / closed, abs=0.005)
    assert sum(row["pool"] for what, row in named.items() if what.startswith("sources: ")) == N
    assert table.schema["mix %"] == pl.Float64
