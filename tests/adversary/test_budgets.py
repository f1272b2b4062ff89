"""A size above the supply is refused in every unit alike, or met as far as the balance allows where one asks for it."""

from __future__ import annotations

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
