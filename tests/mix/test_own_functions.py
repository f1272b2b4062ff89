"""A mix by functions of your own in all six places: the same bytes wherever it is made, known by their source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from recipe import open_mix, rebuild_mix, select_mix
from recipe.errors import AlignmentError, ConfigError, InputError
from recipe.stages import dedup, read
from recipe.stages.read import _shards

MODULE = '''
"""One function for each room."""

import numpy as np

from recipe.data.picks import Picks
from recipe.io.atomic import atomic_write
from recipe.stages.balance.proportional import apportion
from recipe.stages.read import Entry


def read_quiz(record, context):
    """A question and an answer."""
    yield Entry([("human", record["q"]), ("gpt", record["a"])], image=record.get("picture"))


class Lengths:
    """Vectors of how long a sample is."""

    def fit(self, pool, *, seed=0):
        """Learn the mean."""
        return {"mean": np.array([pool.rows["n_words"].mean()], np.float32)}

    def encode(self, part, learned, *, seed=0):
        """Embed a part, of which images are known."""
        assert part.rows["image"].str.ends_with(".jpg").all()
        words = part.rows["n_words"].to_numpy() / learned["mean"][0]
        vectors = np.stack([words, np.ones(len(part))], axis=1).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


lengths = Lengths()
COSTLY = True


def brevity(pool, *, half=5):
    """More for short ones."""
    words = pool.rows["n_words"].to_numpy()
    return (half / (half + words)).astype(np.float32)


def alike(counts, size):
    """As much of each."""
    return apportion(np.ones(len(counts)), counts, size)


def best(pool, quotas, *, by="brevity"):
    """The best of each cell."""
    order = np.lexsort((np.arange(len(pool)), -pool.rows[by].to_numpy()))
    return Picks(np.concatenate([order[quotas.cell[order] == c][:q] for c, q in enumerate(quotas.quota)]))


def write_keys(pool, rows, path):
    """A key a line."""
    with atomic_write(path, "w") as file:
        file.writelines(f"{key}\\n" for key in pool.rows["key"].gather(rows))
    return len(rows)


def no_entries(record, context):
    """No reader."""
    yield record


def no_picks(pool, quotas):
    """No selector."""
    return [1, 2, 3]
'''
RECIPE = {
    "sources": [{"path": "quiz.json", "format": "quiz:read_quiz"}],
    "size": 40,
    "embed": "quiz:lengths",
    "score": [{"quiz:brevity": {"half": 3}}],
    "balance": {"margins": {"answer": "quiz:alike"}},
    "select": "quiz:best",
    "write": {"path": "mix.txt", "format": "quiz:write_keys"},
}
NO_READER = {"path": "quiz.json", "format": "quiz:no_entries"}
FILES = ("mix.txt", "mix.stats.json", "mix.scores.parquet", "mix.rejects.jsonl", "mix.manifest.json")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with a pool, a module and a recipe of one's own, where Python finds them."""
    records = [
        {
            "q": f"How many are there in {n}?",
            "a": "Yes." if n % 5 == 0 else f"About {n} " * (n % 7),
            "picture": f"{n % 40}.jpg",
        }
        for n in range(300)
    ]
    (tmp_path / "quiz.json").write_text(json.dumps(records))
    (tmp_path / "quiz.py").write_text(MODULE)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    sys.modules.pop("quiz", None)
    yield tmp_path
    sys.modules.pop("quiz", None)


def bytes_of(folder):
    """The files of a mix."""
    return {name: (folder / name).read_bytes() for name in FILES}


def test_named_and_given_are_the_same_mix(home):
    """By a recipe file, on the command line and as objects in Python, the mix and all files beside it are the same."""
    select_mix(recipe="recipe.yaml").write()
    expected = bytes_of(home)
    line = [sys.executable, "-m", "recipe", "select", "recipe.yaml", "--cache", "off"]
    subprocess.run(line, check=True, capture_output=True, cwd=home)
    assert bytes_of(home) == expected
    quiz = __import__("quiz")
    mix = select_mix(
        {"path": "quiz.json", "format": quiz.read_quiz},
        size=40,
        embed=quiz.lengths,
        score=[{"quiz:brevity": {"half": 3}}],
        balance={"margins": {"answer": quiz.alike}},
        select=quiz.best,
        write={"path": "mix.txt", "format": quiz.write_keys},
    )
    mix.write()
    given = json.loads((home / "mix.manifest.json").read_text())
    assert given == json.loads(expected["mix.manifest.json"])
    assert bytes_of(home) == expected


def test_part_by_part_and_in_processes(home, monkeypatch, tmp_path):
    """Cut into pieces and shards, on processes, with a warm cache or a cold one, the bytes are those of one process."""
    select_mix(recipe="recipe.yaml", engine="serial").write()
    expected = bytes_of(home)
    monkeypatch.setattr(read, "IN_MEMORY", -1)
    monkeypatch.setattr(_shards, "PIECE", 2000)
    monkeypatch.setattr(_shards, "SHARD", 100)
    monkeypatch.setattr(dedup, "SHARD", 100)
    for _ in range(2):
        select_mix(recipe="recipe.yaml", cache=tmp_path / "cache", engine="processes", workers=2).write()
        assert bytes_of(home) == expected
    kept = [path.name.rpartition("-")[0] for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert sorted(set(kept)) == ["cluster", "dedup", "embed", "near", "read", "score", "tag"]


def test_another_source_is_never_answered_from_the_cache(home, tmp_path):
    """A change of the module makes what depends on it again."""
    first = select_mix(recipe="recipe.yaml", cache=tmp_path / "cache").scores["brevity"]
    (home / "quiz.py").write_text(MODULE.replace("half / (half + words)", "1 / (half + words)"))
    sys.modules.pop("quiz")
    assert (select_mix(recipe="recipe.yaml", cache=tmp_path / "cache").scores["brevity"] < first).any()


def test_the_manifest_knows_the_sources(home):
    """The manifest records each function and the hash of its source; a mix is rebuilt and opened by them."""
    select_mix(recipe="recipe.yaml").write()
    expected = bytes_of(home)
    known = json.loads(expected["mix.manifest.json"])["functions"]
    assert sorted(known) == [
        f"quiz:{name}" for name in ("alike", "best", "brevity", "lengths", "read_quiz", "write_keys")
    ]
    assert len(set(known.values())) == 1
    (home / "mix.txt").unlink()
    assert rebuild_mix("mix.manifest.json") == Path("mix.txt")
    assert bytes_of(home) == expected
    assert len(open_mix("mix.txt")) == 40


def test_rebuild_refuses_another_source(home):
    """Where the module says something else now, rebuild ends in one line, and no file is touched."""
    select_mix(recipe="recipe.yaml").write()
    expected = bytes_of(home)
    (home / "quiz.py").write_text(MODULE + "\n# more\n")
    with pytest.raises(InputError, match=r"mix.manifest.json: quiz:alike had a source of SHA-256 .*; restore its file"):
        rebuild_mix("mix.manifest.json")
    assert bytes_of(home) == expected
    (home / "quiz.py").unlink()
    sys.modules.pop("quiz")
    with pytest.raises(ConfigError, match="quiz:read_quiz: no such module can be imported"):
        rebuild_mix("mix.manifest.json")


@pytest.mark.parametrize(
    ("change", "error", "what"),
    [
        (
            {"sources": [{"path": "quiz.json", "format": "quiz:no_entries"}]},
            ConfigError,
            "to return recipe.stages.read.Entry objects, got dict",
        ),
        ({"select": "quiz:no_picks"}, AlignmentError, "select.no_picks: expected Picks, got list"),
        ({"embed": "quiz:brevity"}, AlignmentError, "expected vectors of shape"),
        ({"write": {"format": "quiz:missing"}}, ConfigError, "quiz:missing: the module has no 'missing'"),
        ({"score": ["quiz:lengths"]}, ConfigError, "score: expected a function of"),
    ],
)
def test_broken_promises_are_said(home, change, error, what):  # noqa: ARG001  it makes the files
    """A function that returns something else than its room asks for is refused by what came."""
    with pytest.raises(error, match=what):
        select_mix(recipe="recipe.yaml", **change).write()
