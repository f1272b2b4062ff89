"""The command line, run as a user runs it: in a process of its own."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
import yaml

from recipe.demo import write_demo

GOOD = [{"id": "a", "conversations": [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A jay."}]}]


def run(*arguments, cwd):
    """Run `recipe` in a folder and return the finished process."""
    command = [sys.executable, "-m", "recipe", *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a small demo pool in `pool`."""
    folder = tmp_path_factory.mktemp("cli")
    write_demo(folder / "pool", images=12)
    (folder / "one.json").write_text(json.dumps(GOOD))
    (folder / "latin.json").write_bytes(json.dumps(GOOD).encode().replace(b"jay", b"caf\xe9"))
    (folder / "cut.json").write_text(json.dumps(GOOD)[:40])
    (folder / "empty.json").write_text("")
    (folder / "other.json").write_text('[{"text": "no sample"}]')
    (folder / "bad.yaml").write_text("sise: 10\nsources: [one.json]\n")
    (folder / "torn.yaml").write_text("size: [10\n")
    (folder / "evil.yaml").write_text("select: os.system\nsources: [one.json]\n")
    (folder / "dir.json").mkdir()
    return folder


BAD = {
    "a missing path": (["select", "nowhere.json"], ["nowhere.json", "does not exist"]),
    "a glob without a match": (["select", "no*where.json"], ["no*where.json"]),
    "a folder without samples": (["select", "dir.json"], ["dir.json"]),
    "an unknown format": (["select", "other.json"], ["other.json", "llava", "svit"]),
    "an unknown recipe key": (["select", "bad.yaml"], ["bad.yaml", "sise", "did you mean 'size'"]),
    "a broken recipe file": (["select", "torn.yaml"], ["torn.yaml"]),
    "a recipe that names a function": (["select", "evil.yaml"], ["os.system", "facility"]),
    "an unknown selector": (["select", "one.json", "--select", "facilty"], ["facilty", "did you mean 'facility'"]),
    "an unknown preset": (["select", "one.json", "--preset", "randm"], ["randm", "did you mean 'random'"]),
    "a size above the supply": (["select", "one.json", "--size", "2"], ["size=2", "1"]),
    "a size that is none": (["select", "one.json", "--size", "many"], ["size='many'"]),
    "an unreadable file": (["select", "cut.json"], ["cut.json"]),
    "an empty file": (["select", "empty.json"], ["empty.json"]),
    "a file that is not UTF-8": (["select", "latin.json"], ["latin.json", "UTF-8"]),
    "nothing to read": (["select"], ["nothing to read"]),
    "a mix in no folder": (["select", "one.json", "--out", "gone/mix.json"], ["gone"]),
    "a mix of no format": (["select", "one.json", "--out", "mix.txt"], ["mix.txt", ".json"]),
    "a manifest that is none": (["select", "--manifest", "one.json"], ["one.json", "manifest"]),
    "scores of no format": (["score", "one.json", "--out", "scores.csv"], ["scores.csv", ".parquet"]),
    "statistics of nothing": (["stats", "nowhere.json"], ["nowhere.json"]),
    "a check of nothing": (["validate", "nowhere.json"], ["nowhere.json"]),
}


def beside_the_cache(folder):
    """List all that lies in a folder, but what stages left for the next run."""
    return sorted(path for path in folder.rglob("*") if ".recipe-cache" not in path.parts)


@pytest.mark.parametrize("what", BAD)
def test_bad_input(folder, what):
    """Bad input gives one line that says what and where, exit code 2, no traceback, and nothing but a cache."""
    arguments, parts = BAD[what]
    before = beside_the_cache(folder)
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr
    assert beside_the_cache(folder) == before


def test_select_stats_validate_and_rebuild(folder):
    """A mix is written with its side files, counted, found sound, and rebuilt from its manifest to the byte."""
    done = run("select", "pool", "--size", "20%", "--seed", "3", "--out", "mix.json", cwd=folder)
    assert done.returncode == 0, done.stderr
    mix = json.loads((folder / "mix.json").read_text())
    scores = pl.read_parquet(folder / "mix.scores.parquet")
    assert len(mix) == scores["rank"].drop_nulls().len()
    assert f"{len(mix):,} of {scores.height:,} samples" in done.stdout
    manifest = json.loads((folder / "mix.manifest.json").read_text())
    assert manifest["recipe"]["seed"] == 3
    assert len(manifest["keys"]) == len(mix)
    numbers = json.loads(run("stats", "mix.json", "--json", cwd=folder).stdout)
    assert numbers == json.loads((folder / "mix.stats.json").read_text())
    assert "yes answers" in run("stats", "mix.json", "pool", cwd=folder).stdout
    assert run("validate", "mix.json", cwd=folder).returncode == 0
    assert run("select", "--manifest", "mix.manifest.json", "--out", "again.json", cwd=folder).returncode == 0
    assert (folder / "again.json").read_bytes() == (folder / "mix.json").read_bytes()


def test_validate_finds_problems(folder):
    """A file that would stop the trainer is reported with its code, and the exit code is 1."""
    (folder / "stops.json").write_text(json.dumps([{"id": "a", "conversations": []}]))
    done = run("validate", "stops.json", cwd=folder)
    assert done.returncode == 1
    assert "L09" in done.stdout


def test_recipe_file_and_print_recipe(folder):
    """A recipe file is enough, and the printed recipe is whole and makes the same mix, with or without a cache."""
    (folder / "my.yaml").write_text("sources: [pool]\nsize: 50\nwrite: {path: one_way.json}\nselect: random\n")
    printed = run("select", "my.yaml", "--print-recipe", cwd=folder).stdout
    assert yaml.safe_load(printed)["balance"]["yes_share"] == 0.5
    (folder / "full.yaml").write_text(printed)
    assert run("select", "my.yaml", "--cache", "off", cwd=folder).returncode == 0
    assert not (folder / "off").exists()
    assert run("select", "full.yaml", "--out", "other_way.json", cwd=folder).returncode == 0
    assert (folder / "one_way.json").read_bytes() == (folder / "other_way.json").read_bytes()


def test_score(folder):
    """Scores of every sample are written as Parquet."""
    assert run("score", "pool", "--out", "scores.parquet", cwd=folder).returncode == 0
    scores = pl.read_parquet(folder / "scores.parquet")
    assert {"key", "task", "cluster", "novelty", "density", "concept_coverage", "balance", "length"} <= set(
        scores.columns
    )


def test_recipes(folder):
    """The shipped recipes are listed with what they are."""
    listed = run("recipes", cwd=folder).stdout
    for preset in ("recipe-default", "random", "source-balanced"):
        assert preset in listed


def test_demo(tmp_path):
    """The demo does the main job in an empty folder."""
    done = run("demo", "--images", "20", "--size", "100", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "recipe-demo" / "mix.json").read_text())) == 100
    assert "yes : no" in done.stdout
