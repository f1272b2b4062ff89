"""A size above the supply is refused in every unit alike, or met as far as the balance allows where one asks for it."""

from __future__ import annotations

import polars as pl
import pytest
from typer.testing import CliRunner

from recipe import demo, select_mix
from recipe.cli import app
from recipe.config.recipe import Recipe
from recipe.errors import SupplyError

QUICK = {"select": "random", "engine": "serial", "score": []}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("budgets")
    demo.write_demo(folder, images=12)
    return folder


@pytest.fixture(scope="module")
def whole(folder):
    return select_mix(str(folder), size=1.0, **QUICK)


def answers(mix):
    """Return how many yes and no answers a mix has."""
    rows = mix.pool.rows[mix.picks.rows]
    return int(rows["n_yes"].sum()), int(rows["n_no"].sum())


def supply(whole):
    """Return the samples and the tokens that may be selected."""
    return int(whole.pool.eligible.sum()), int(whole.pool.rows["n_tokens"].filter(whole.pool.eligible).sum())


@pytest.mark.parametrize("unit", ["samples", "tokens"])
def test_more_than_there_is_is_refused(folder, whole, unit):
    """One sample or one token above the supply is an error that names both supplies and the way out."""
    samples, tokens = supply(whole)
    size = samples + 1 if unit == "samples" else f"{tokens + 1} tokens"
    with pytest.raises(SupplyError) as caught:
        select_mix(str(folder), size=size, **QUICK)
    said = str(caught.value)
    assert f"{tokens:,} tokens" in said
    assert f"{samples} samples" in said
    assert "--at-most" in said


def test_what_there_is_is_taken_alike_in_every_unit_and_stays_balanced(folder, whole):
    """Yes and no stay 1:1, as many samples are taken as that allows, and every unit gives the same samples."""
    samples, tokens = supply(whole)
    sizes = (samples, samples + 1, 10 * samples, 1.0, f"{tokens + 1} tokens", "20M tokens")
    mixes = [select_mix(str(folder), size=size, shortfall="allow", **QUICK) for size in sizes]
    assert all(mix.keys == mixes[0].keys for mix in mixes)
    yes, no = answers(mixes[0])
    assert abs(yes - no) <= 1
    all_yes, all_no = answers(whole)
    assert all_yes != all_no
    assert len(mixes[0]) >= samples - abs(all_yes - all_no)


def test_limits_hold_where_less_is_taken(folder):
    """No image has more samples than its limit, however much is asked for."""
    mix = select_mix(str(folder), size=10**6, shortfall="allow", balance={"per_image": 2}, **QUICK)
    assert mix.pool.rows[mix.picks.rows]["image"].drop_nulls().value_counts()["count"].max() <= 2


@pytest.mark.parametrize("size", [40, 0.2, "2k tokens"])
def test_a_size_that_can_be_met_is_met_all_the_same(folder, size):
    """Allowing a shortfall changes no pick where there is none."""
    mixes = [select_mix(str(folder), size=size, shortfall=shortfall, **QUICK) for shortfall in ("refuse", "allow")]
    assert mixes[0].keys == mixes[1].keys


def test_what_was_not_met_is_said(whole):
    """The summary of a mix of everything says that yes and no are not 1:1."""
    assert "not met" in repr(whole)
    assert "wanted 50%" in repr(whole)


def test_the_command_line_asks_for_at_most(folder, tmp_path):
    """Without --at-most a budget above the supply is an error, with it a mix is written."""
    command = ["select", str(folder), "--size", "20M tokens", "--select", "random", "--engine", "serial"]
    command += ["--cache", "off", "--out", str(tmp_path / "mix.json")]
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, SupplyError)
    assert not list(tmp_path.iterdir())
    assert CliRunner().invoke(app, [*command, "--at-most"]).exit_code == 0
    assert (tmp_path / "mix.json").exists()


def test_a_part_that_gets_nothing_names_the_smallest_size(folder):
    """The size that the error names works, and one less does not."""
    parts = {"a": {"size": 7}, "b": {"size": 0.5}, "rest": {}}
    plan = Recipe(sources=(str(folder),), select="random", score=(), parts=parts, balance={"margins": {}})
    with pytest.raises(SupplyError, match=r"smallest size that works is [0-9]+ samples") as caught:
        select_mix(recipe=plan, size=8, engine="serial")
    least = int(str(caught.value).rpartition(" is ")[2].split()[0])
    assert len(select_mix(recipe=plan, size=least, engine="serial")) == least
    with pytest.raises(SupplyError):
        select_mix(recipe=plan, size=least - 1, engine="serial")


def parted(folder, parts, **knobs):
    """Return a mix of parts that pick at random."""
    knobs = {"select": "random", "score": (), "balance": {"margins": {}, "yes_share": None}, "parts": parts} | knobs
    return select_mix(str(folder), engine="serial", **knobs)


@pytest.mark.parametrize(
    ("size", "parts", "total"),
    [
        (5, {"a": {"size": 20}, "b": {"size": 20}}, 40),
        (30, {"a": {"size": 20}, "b": {"size": 20}}, 40),
        (30, {"a": {"size": 0.9}, "b": {"size": 0.9}}, 54),
        (50, {"a": {"size": 20}, "b": {"size": 0.2}}, 30),
        ("1k tokens", {"a": {"size": 20}, "b": {"size": 20}}, 40),
        (0.5, {"a": {"size": 20}}, 20),
    ],
)
@pytest.mark.parametrize("shortfall", ["refuse", "allow"])
def test_a_size_that_the_parts_do_not_sum_to_is_refused(folder, size, parts, total, shortfall):
    """A size that was given is never ignored: the error names it and the sum of the parts."""
    with pytest.raises(SupplyError, match=rf"size='?{size}\b.* sum to {total};") as caught:
        parted(folder, parts, size=size, shortfall=shortfall)
    assert "\n" not in str(caught.value)


def test_all_that_matches_counts_into_the_sum(folder):
    """A part of size all has as many samples as match it, and a given size must be the sum with it."""
    parts = {"a": {"where": {"task": ["detail_description"]}, "size": "all"}, "b": {"size": 3}}
    there = len(parted(folder, parts)) - 3
    assert len(parted(folder, parts, size=there + 3)) == there + 3
    with pytest.raises(SupplyError, match=rf"size={there + 4}: .* sum to {there + 3};"):
        parted(folder, parts, size=there + 4)


def test_without_a_size_the_mix_is_the_sum_of_its_parts(folder):
    """Where the recipe leaves its size out, parts of fixed sizes need none."""
    assert len(parted(folder, {"a": {"size": 20}, "b": {"size": 20}})) == 40


@pytest.mark.parametrize("count", [5, 10, 49, 50, 51])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.333, 0.333, 0.334), (0.33, 0.33, 0.34), (0.1, 0.15, 0.75)])
def test_shares_that_sum_to_the_whole_give_the_size(folder, shares, count):
    """Rounding of shares loses no sample, and no part is further than one from its share."""
    mix = parted(folder, {f"p{i}": {"size": share} for i, share in enumerate(shares)}, size=count)
    assert len(mix) == count
    parts = mix.pool.rows["part"].gather(mix.picks.rows).to_list()
    assert all(abs(parts.count(f"p{i}") - share * count) <= 1 for i, share in enumerate(shares))


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_part_without_a_size_takes_what_another_lacks(folder, order):
    """Where a shortfall is allowed, the rest fills up to the size, whichever part comes first."""
    some = (
        parted(folder, {}, size=1.0)
        .pool.rows.filter(pl.col("problem").is_null())["image"]
        .drop_nulls()
        .mode()
        .sort()[0]
    )
    parts = {"a": {"where": {"image": [some]}, "size": 150}, "b": {"where_not": {"image": [some]}}}
    mix = parted(folder, {name: parts[name] for name in order}, size=160, shortfall="allow")
    assert len(mix) == 160
    counts = mix.pool.rows["part"].gather(mix.picks.rows).to_list()
    assert 0 < counts.count("a") < 150
    huge = parted(folder, {name: parts[name] for name in order}, size=10**6, shortfall="allow")
    assert len(huge) == int(huge.pool.eligible.sum())


def test_what_the_error_offers_is_what_is_given(folder):
    """The way out that the error names says that the share of yes is kept, as it is."""
    with pytest.raises(SupplyError, match="take the most that keeps the share of yes"):
        select_mix(str(folder), size=10**6, **QUICK)
