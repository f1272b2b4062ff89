"""Scores of one's own: a column of a file, a function, and blends of what is there."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest
from builders import make_pool
from hypothesis import given
from hypothesis import strategies as st

from recipe import demo_pool, score_pool, select_mix
from recipe.data.pool import Pool
from recipe.data.ranks import rank_shares
from recipe.demo import write_demo
from recipe.errors import AlignmentError, ConfigError, InputError
from recipe.mix.open import open_mix
from recipe.mix.rebuild import rebuild_mix
from recipe.stages.score import blend, column

IDS = ["7", "07", "7", "a"]


def a_pool():
    """Four samples of three ids; the last may not be selected."""
    return make_pool(["word"] * 4, id=IDS, problem=[None, None, None, "L06"])


def table(folder, ending, rows):
    """Write lines of name and number as a file of some kind, and return its path."""
    file = folder / f"quality{ending}"
    if ending == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        frame = pl.DataFrame(rows)
        frame.write_parquet(file) if ending == ".parquet" else frame.write_csv(file)
    return file


# columns


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_a_column_by_key(tmp_path, ending):
    """Each sample gets the number of its key, in any order of the lines; lines of others and refused samples do not."""
    keys = ["000002", "000000", "other", "000001", "000003"]
    file = table(tmp_path, ending, [{"key": key, "clip": at / 4} for at, key in enumerate(keys)])
    values = column.score(a_pool(), file=file, column="clip")
    assert values.tolist() == [0.25, 0.75, 0, 0]
    assert values.dtype == np.float32


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_a_column_by_id(tmp_path, ending):
    """All samples of an id get its number, ids keep their zeros, and a line that is repeated is one."""
    rows = [{"id": "7", "clip": 2}, {"id": "07", "clip": 3}, {"id": "7", "clip": 2}]
    values = column.score(a_pool(), file=table(tmp_path, ending, rows), column="clip", key="id")
    assert values.tolist() == [2, 3, 2, 0]


def test_ids_that_are_numbers(tmp_path):
    """A file whose ids are numbers finds the samples whose ids are written so."""
    file = table(tmp_path, ".parquet", [{"id": 7, "clip": 0.5}])
    assert column.score(a_pool(), file=file, column="clip", key="id", missing=-1.5).tolist() == [0.5, -1.5, 0.5, 0]


def test_null_says_nothing(tmp_path):
    """A line of null is as no line: an error that counts and names, unless a number is given for it."""
    rows = [{"key": "000000", "clip": 1.0}, {"key": "000001", "clip": None}]
    file = table(tmp_path, ".jsonl", rows)
    with pytest.raises(AlignmentError, match=r"for each of 3 eligible samples, 2 have none, as key=000001; .*missing"):
        column.score(a_pool(), file=file, column="clip")
    assert column.score(a_pool(), file=file, column="clip", missing=9).tolist() == [1, 9, 9, 0]


BAD = {
    "two numbers": (
        ".csv",
        [{"key": "b", "clip": 1}, {"key": "b", "clip": 2}],
        AlignmentError,
        "key=b, got 1.0 and 2.0",
    ),
    "NaN": (".parquet", [{"key": "b", "clip": float("nan")}], AlignmentError, "got 1 others, as nan of key=b"),
    "infinity": (".csv", [{"key": "b", "clip": float("inf")}], AlignmentError, "as inf of key=b"),
    "more than float32 holds": (".csv", [{"key": "b", "clip": 1e300}], AlignmentError, "as 1e+300 of key=b"),
    "words": (".csv", [{"key": "b", "clip": "good"}], InputError, "cannot read key and clip"),
    "no such column": (".csv", [{"key": "b", "clap": 1}], ConfigError, "did you mean 'clap'"),
    "no key": (".csv", [{"kex": "b", "clip": 1}], ConfigError, "no column 'key'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_columns_are_told(tmp_path, case):
    """What is wrong with a column is one line that names the file and the first culprit."""
    ending, rows, error, what = BAD[case]
    file = table(tmp_path, ending, rows)
    with pytest.raises(error, match=re.escape(what)) as caught:
        column.score(a_pool(), file=file, column="clip")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("knobs", "error", "what"),
    [
        ({"file": "gone.csv"}, InputError, "no file gone.csv"),
        ({"file": "quality.txt"}, ConfigError, ".parquet"),
        ({"file": "quality.csv", "key": "row"}, ConfigError, "key='row'"),
        ({"file": "quality.csv", "missing": float("nan")}, ConfigError, "missing=nan"),
    ],
)
def test_bad_knobs_are_told(knobs, error, what):
    """A knob out of its range is an error with its name and value."""
    with pytest.raises(error, match=f"^score.column: .*{re.escape(what)}"):
        column.score(a_pool(), column="clip", **knobs)


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
def test_a_torn_file_is_told(tmp_path, ending):
    """A file that is none of its kind is an error of one line."""
    file = tmp_path / f"quality{ending}"
    file.write_text('{"key": ')
    with pytest.raises(InputError, match="cannot read key and clip of") as caught:
        column.score(a_pool(), file=file, column="clip")
    assert "\n" not in str(caught.value)


# ranks and blends


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12))
def test_rank_shares_are_counted(values):
    """The share is the number of smaller values and half of the equal ones, by a naive count."""
    expected = [
        (sum(other < one for other in values) + (1 + sum(other == one for other in values)) / 2) / len(values)
        for one in values
    ]
    assert rank_shares(np.array(values, float)).tolist() == pytest.approx(expected)


def test_a_blend_worked_by_hand():
    """Ranks among eligible samples are weighed; a weight below 0 turns its score around; refused samples score 0."""
    pool = make_pool(
        ["word"] * 5,
        novelty=[0.1, 0.2, 0.3, 0.4, 99],
        clip=[1000, 10, 10, 1, 5000],
        problem=[None, None, None, None, "L06"],
    )
    values = blend.score(pool, weights={"novelty": 1, "clip": 3})
    # novelty ranks 1 2 3 4, clip ranks 4 2.5 2.5 1, of four samples and four parts of weight
    assert values.tolist() == [13 / 16, 9.5 / 16, 10.5 / 16, 7 / 16, 0]
    turned = blend.score(pool, weights={"novelty": 1, "clip": -3})
    assert turned.tolist() == [4 / 16, 9.5 / 16, 10.5 / 16, 16 / 16, 0]


@given(st.permutations(["a", "b", "c"]), st.lists(st.integers(0, 5), min_size=3, max_size=9))
def test_a_blend_knows_no_order_and_no_unit(order, draws):
    """The order of the weights, and any increasing change of a score, leave the blend as it is."""
    base = np.array(draws, float)
    columns = {"a": base, "b": np.roll(base, 1), "c": -base}
    weights = {"a": 1.0, "b": 0.1, "c": -0.7}
    one = blend.score(make_pool(["word"] * len(draws), **columns), weights=weights)
    columns = {name: np.exp(values) for name, values in columns.items()}
    other = make_pool(["word"] * len(draws), **columns)
    assert (one == blend.score(other, weights={name: weights[name] for name in order})).all()


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ({"noveltly": 1}, "did you mean 'novelty'"),
        ({"key": 1}, "'key', which is not a score"),
        ({"novelty": 0}, "novelty=0"),
        ({"novelty": float("inf")}, "novelty=inf"),
        ({"novelty": "much"}, "novelty='much'"),
        ({}, "at least one"),
    ],
)
def test_bad_weights_are_refused(weights, what):
    """A blend of something that is not a score, or without weights, is an error."""
    with pytest.raises(ConfigError, match=f"^score.blend: .*{re.escape(what)}"):
        blend.score(make_pool(["word"], novelty=[1.0]), weights=weights)


def test_nothing_eligible(tmp_path):
    """A pool of which nothing may be selected scores 0 everywhere, and an empty one scores nothing."""
    file = table(tmp_path, ".csv", [{"key": "b", "clip": 1}])
    pool = make_pool(["word"] * 2, novelty=[1.0, 2.0], problem=["L06"] * 2)
    for given_pool in (pool, Pool(pool.rows.clear())):
        none = [0] * len(given_pool)
        assert column.score(given_pool, file=file, column="clip").tolist() == none
        assert blend.score(given_pool, weights={"novelty": 1}).tolist() == none


# the whole way


def test_scores_of_ones_own_end_to_end(tmp_path):
    """Two columns, a blend of them and a score, and a selector that weighs it, from recipe to written mix and back."""
    write_demo(tmp_path / "pool", images=8)
    keys = score_pool(tmp_path / "pool", score=()).rows["key"].unique(maintain_order=True)
    rng = np.random.default_rng(0)
    file = tmp_path / "quality.parquet"
    pl.DataFrame({"key": keys, "clip": rng.random(len(keys)), "ppl": rng.random(len(keys))}).write_parquet(file)
    score = [
        "novelty",
        {"column": {"file": str(file), "column": "clip", "called": "clip"}},
        {"column": {"file": str(file), "column": "ppl", "called": "perplexity"}},
        {"blend": {"weights": {"novelty": 1, "clip": 2, "perplexity": -1}, "called": "quality"}},
    ]
    picked = {}
    for weight in (0.1, 50.0):
        select = {"facility": {"concepts": 0.02, "quality": {"quality": weight}}}
        for cache in (None, tmp_path / "cache", tmp_path / "cache"):
            mix = select_mix(tmp_path / "pool", size=30, score=score, select=select, cache=cache)
            assert picked.setdefault(weight, mix.keys) == mix.keys
    chosen = mix.pool.rows["quality"].gather(mix.picks.rows)
    assert chosen.mean() > mix.pool.rows.filter(pl.Series(mix.pool.eligible))["quality"].mean() + 0.1
    assert picked[0.1] != picked[50.0]
    mix.write(tmp_path / "mix.json")
    manifest = json.loads((tmp_path / "mix.manifest.json").read_text())
    assert set(manifest["files"]) == {"score clip: file", "score perplexity: file"}
    again = open_mix(tmp_path / "mix.json")
    assert again.keys == mix.keys
    assert again.pool.rows["quality"].equals(mix.pool.rows["quality"])
    rebuilt = rebuild_mix(tmp_path / "mix.manifest.json", tmp_path / "again.json")
    assert rebuilt.read_bytes() == (tmp_path / "mix.json").read_bytes()


def test_a_function_is_a_score():
    """A function scores by its own name, sees the scores before it, and may be blended and weighed."""

    def doubled(pool):
        """Return twice the length's score."""
        return pool.rows["length"].to_numpy() * np.float32(2)

    score = ["length", doubled, {"blend": {"weights": {"doubled": 1}}}]
    mix = select_mix(demo_pool(images=6), size=20, score=score, select={"facility": {"quality": {"blend": 1}}})
    rows = mix.pool.rows
    assert (rows["doubled"] == rows["length"] * 2).all()
    eligible = rows.filter(pl.Series(mix.pool.eligible))
    assert eligible["blend"].to_list() == pytest.approx(rank_shares(eligible["length"]).tolist())


def test_a_blend_stands_behind_what_it_blends():
    """A blend of a score that comes later in the recipe is an error that names what is there."""
    with pytest.raises(ConfigError, match="'length', which is not a score before it"):
        score_pool(demo_pool(images=4), score=[{"blend": {"weights": {"length": 1}}}, "length"])


@pytest.mark.parametrize("called", [None, "clip"])
def test_two_scores_of_one_name_are_told(called):
    """Two columns without names of their own, or with the same one, are refused before anything is read."""
    step = {"column": {"file": "gone.csv", "column": "clip", **({"called": called} if called else {})}}
    with pytest.raises(ConfigError, match="a name of its own for each score"):
        score_pool(demo_pool(images=2), score=[step, step])
