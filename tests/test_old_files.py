"""Files that 0.1.0 wrote are understood by the code of today; files_0_1_0/make.sh says how they were made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from recipe import Recipe, open_mix, rebuild_mix, select_mix
from recipe.cli import app
from recipe.io.cache import open_store
from recipe.io.cache_contents import list_cache
from recipe.mix.manifest import files_of, read_manifest
from recipe.report.comparison import read_comparison
from recipe.report.stats import read_stats

OLD = Path(__file__).parent / "files_0_1_0"
MIXES = ("mix.json", "parts.jsonl")
RENAMED = {"coverage": "concept_coverage"}  # a score of 0.1.0 and its name since

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # old names are understood with a warning


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A copy of the folder in which they were made, to work in."""
    shutil.copytree(OLD, tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    monkeypatch.delenv("CI", raising=False)
    return tmp_path / "old"


def run(*arguments):
    """What a command prints; it must end well."""
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def today(name):
    """The name that a score of 0.1.0 has today, if it has been renamed, or its old one."""
    return {name, RENAMED.get(name, name)}


@pytest.mark.parametrize("name", MIXES)
def test_an_old_mix_opens_with_what_was_known_of_it(old, name):
    """Picks in their order, with ranks and gains, problems, numbers and shortages are those that were written."""
    mix, stem = open_mix(name), name.partition(".")[0]
    manifest = read_manifest(old / f"{stem}.manifest.json")
    assert manifest["versions"]["recipe"] == "0.1.0"
    assert mix.keys == manifest["keys"]
    assert mix.certificate == manifest["certificate"]
    assert mix.counts == manifest["counts"]
    assert mix.quotas.report.to_dicts() == manifest["margins"]
    assert mix.stats() == read_stats(old / f"{stem}.stats.json")
    scores = pl.read_parquet(f"{stem}.scores.parquet")
    assert mix.pool.rows["key"].equals(scores["key"])
    assert mix.pool.rows["problem"].to_list() == scores["problem"].to_list()
    rejects = [json.loads(line) for line in Path(f"{stem}.rejects.jsonl").read_text("utf-8").splitlines()]
    assert {one["key"] for one in rejects} == set(scores.filter(pl.col("problem").is_not_null())["key"])
    ranks = dict(scores.filter(pl.col("rank").is_not_null()).select("key", "rank").iter_rows())
    assert mix.why(mix.keys[-1]).rank == ranks[mix.keys[-1]]


@pytest.mark.parametrize("name", MIXES)
def test_an_old_mix_is_rebuilt_with_the_same_bytes(old, name):
    """From the manifest alone the mix is written again as 0.1.0 wrote it: packed, in parts, with equal records."""
    stem = name.partition(".")[0]
    was = {file.name: file.read_bytes() for file in files_of(old / name)}
    assert len(was) == (1 if name == "mix.json" else 2)
    for file in was:
        (old / file).unlink()
    rebuild_mix(f"{stem}.manifest.json")
    assert {file: (old / file).read_bytes() for file in was} == was


@pytest.mark.usefixtures("old")
def test_an_old_mix_passes_its_old_baseline():
    """A baseline and tolerances of 0.1.0 find no drift in the mix that they were made for, and do in another."""
    guard = ("--baseline", "good.stats.json", "--tolerance", "tolerance.yaml")
    assert " 0 moved" in run("check", "mix.json", *guard)
    other = CliRunner().invoke(app, ["check", "parts.jsonl", *guard])
    assert other.exit_code == 1
    assert ["samples", "16", "38"] in [line.split()[:3] for line in other.output.splitlines()]


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("name", MIXES)
def test_an_old_mix_has_a_report(name):
    """The page of today shows an old mix, beside an old comparison."""
    assert "wrote" in run("report", name, "-o", "report.html", "--comparison", "comparison.json", "--cache", "off")
    page = Path("report.html").read_text("utf-8")
    assert all(key in page for key in open_mix(name).keys)
    assert "0.1.0" in page


@pytest.mark.usefixtures("old")
def test_an_old_mix_is_compared_with_another():
    """The difference of two old mixes counts what is in one of them alone, and of a mix from itself it is nothing."""
    keys = [set(pl.read_parquet(f"{stem}.scores.parquet").drop_nulls("rank")["key"]) for stem in ("mix", "parts")]
    found = json.loads(run("diff", "mix.json", "parts.jsonl", "--json"))
    assert found["removed"] == len(keys[0] - keys[1]) > 0
    assert run("diff", "mix.json", "mix.json") == "0 added, 0 removed, 16 kept\n"


@pytest.mark.usefixtures("old")
def test_old_numbers_and_gaps_are_shown():
    """What `stats` and `gaps` print of an old mix is found in its files."""
    found = json.loads(Path("mix.stats.json").read_bytes())["mix"]
    assert [found["samples"], found["words"]] == [16, 754]
    shown = [line.split() for line in run("stats", "mix.json").splitlines()]
    assert ["samples", "16", "68"] in shown
    assert ["words", "754", "2,606"] in shown
    (asked,) = json.loads(run("gaps", "mix.json", "--json"))["requests"]
    assert [asked["task"], asked["answer"], asked["count"]] == ["conversation", "yes", 2]


def test_an_old_comparison_is_read():
    """Values, sizes and names of a comparison of 0.1.0 are there, and its file is written again as it was."""
    found = read_comparison(OLD / "comparison.json")
    assert list(found.sizes) == [30]
    assert {"random", "source-balanced"} == set(found.values["recipe"])
    assert json.loads(found.to_json()) == json.loads((OLD / "comparison.json").read_bytes())


@pytest.mark.parametrize("name", ["recipe.yaml", "parts.yaml"])
def test_an_old_recipe_is_understood_and_written_as_the_manifest_says(name):
    """Each key and each name of a recipe of 0.1.0 means what it meant."""
    stem = {"recipe.yaml": "mix", "parts.yaml": "parts"}[name]
    found = read_manifest(OLD / f"{stem}.manifest.json")["recipe"]
    given, kept = Recipe.of(OLD / name), Recipe.of(found)
    apart = {"sources", "write", "score"}  # manifests sort sources, have no path, and list scores that a selector names
    assert given.model_dump(exclude=apart) == kept.model_dump(exclude=apart)
    scores = [[step.label for step in plan.score] for plan in (given, kept)]
    assert [label for label in scores[1] if label in scores[0]] == scores[0]
    assert today("coverage") & set(scores[0])


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(("name", "size"), [("recipe.yaml", 16), ("parts.yaml", 38)])
def test_an_old_recipe_picks_a_mix(name, size):
    """A recipe of 0.1.0 runs today: every room, rule, score and selector that it names is still there."""
    mix = select_mix(recipe=name)
    assert len(mix.keys) == size
    assert today("coverage") & set(mix.scores.columns)


def test_artefacts_of_another_version_stay_and_are_not_taken(tmp_path, monkeypatch):
    """A cache of 0.1.0 opens; what it holds has other names than what is looked for today, and is kept beside it."""
    today = open_store(tmp_path / "cache").stage("tag", pool="a")
    monkeypatch.setattr("recipe.io.versions.__version__", "0.1.0")
    before = open_store(tmp_path / "cache").stage("tag", pool="a")
    assert before != today
    assert {kept.folder for kept in list_cache(tmp_path / "cache")} == {before, today}
