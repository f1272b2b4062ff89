"""One pool of twelve formats at once: nothing is lost, one mix for any order and engine, and each trainer takes it.

`RECIPE_TEN=20000` picks so many from three times as many samples, and prints a table (`pytest -s`).
"""

from __future__ import annotations

import json
import os
import time

import polars as pl
import pytest
from ten_formats import WRITERS, write_pool
from trainers import TRAINERS

from recipe import read_pool, select_mix
from recipe.check import check_mix
from recipe.config.registry import home
from recipe.stages import read
from recipe.stages.read import _shards

SIZE = int(os.environ.get("RECIPE_TEN", "300"))
IMAGES = max(40, SIZE // 7)  # each has about 23 samples, without those with boxes
SEVERAL = [writer for writer in TRAINERS if "images" in home("write", writer).HOLDS]


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """The pool in files."""
    return write_pool(tmp_path_factory.mktemp("ten"), images=IMAGES)


def picked(pool, **knobs):
    """A mix of the pool."""
    sources = knobs.pop("sources", None) or list(pool.folders.values())
    return select_mix([str(one) for one in sources], size=SIZE, read={"images": str(pool.images)}, **knobs)


@pytest.fixture(scope="module")
def mix(pool):
    """A mix that LLaVA takes, and so any trainer: of one picture at most."""
    return picked(pool)


def accounts(folder):
    """What the files of a mix say of each format: how many samples were read, picked, left and rejected."""
    manifest = json.loads((folder / "mix.manifest.json").read_text())
    scores = pl.read_parquet(folder / "mix.scores.parquet")
    rejects = [json.loads(line)["source"] for line in (folder / "mix.rejects.jsonl").read_text().splitlines()]
    found = {}
    for source in manifest["sources"]:
        own = scores.filter(pl.col("source") == source["name"])
        picks = int(own["rank"].is_not_null().sum())
        left = int((own["rank"].is_null() & own["problem"].is_null()).sum())
        counts = (source["samples"], picks, left, rejects.count(source["name"]))
        name = source["name"].partition("/")[0]
        found[name] = tuple(map(sum, zip(counts, found.get(name, (0, 0, 0, 0)), strict=True)))
    return found


def table(rows, *heads):
    """Print a table where it was asked for."""
    if "RECIPE_TEN" in os.environ:
        print("", " | ".join(heads), *(" | ".join(map(str, row)) for row in rows), sep="\n")  # noqa: T201


def test_nothing_is_lost(pool, mix, tmp_path):
    """Of each format as many samples are read as were written, and each is picked, left or rejected, and listed."""
    mix.write(tmp_path / "mix.json", images_out=tmp_path / "images")
    found = accounts(tmp_path)
    table([(name, *counts) for name, counts in sorted(found.items())], "format", "read", "picked", "left", "rejected")
    assert {name: counts[0] for name, counts in found.items()} == pool.counts
    assert all(read == picks + left + rejected for read, picks, left, rejected in found.values())
    assert sum(counts[1] for counts in found.values()) == SIZE
    assert {name for name, counts in found.items() if counts[1]} >= {*WRITERS, "svit"} - {"qwen"}
    assert found["qwen"][3] > 0.9 * found["qwen"][0]  # of several pictures, which LLaVA does not take


def bytes_of(mix, folder):
    """The bytes of a mix."""
    mix.write(folder / "mix.json", images_out=folder / "images")
    return (folder / "mix.json").read_bytes()


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_any_order_and_engine(pool, mix, tmp_path, monkeypatch, engine):
    """The mix has the same bytes for the formats in another order, from a cache in pieces, and on any engine."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    expected = bytes_of(mix, tmp_path / "first")
    monkeypatch.setattr(read, "IN_MEMORY", -1)
    monkeypatch.setattr(_shards, "PIECE", max(20_000, SIZE * 100))
    folders = list(pool.folders.values())
    order = folders[::-1] if engine == "serial" else folders[5:] + folders[:5]
    other = picked(pool, sources=order, cache=tmp_path / "cache", engine=engine, workers=2)
    assert bytes_of(other, tmp_path / "second") == expected
    again = picked(pool, sources=[pool.folders["llava"].parent], cache=tmp_path / "cache", engine=engine, workers=2)
    assert again.keys == mix.keys


@pytest.mark.parametrize("writer", TRAINERS)
def test_each_trainer_takes_it(mix, tmp_path, writer):
    """The mix is written for each trainer, of whose own contract nothing is broken."""
    start = time.perf_counter()
    target = tmp_path / f"mix{TRAINERS[writer]}"
    inside = "bytes" in home("write", writer).HOLDS
    mix.write(target, to=writer.replace("_", "-"), **({} if inside else {"images_out": tmp_path / "images"}))
    images = None if inside else tmp_path / "images"
    found = check_mix(target, images=images, trainer=writer.replace("_", "-"))
    records = json.loads((tmp_path / "mix.manifest.json").read_text())["mix"]["records"]
    seconds = time.perf_counter() - start
    table([(writer, records, len(found), f"{seconds:.1f}")], "trainer", "records", "findings", "seconds")
    assert found == []
    assert records == SIZE


@pytest.fixture(scope="module")
def several(pool):
    """A mix in which samples may have several pictures."""
    return picked(pool, write={"format": "llava-next"})


@pytest.mark.parametrize("writer", SEVERAL)
def test_several_pictures(several, tmp_path, writer):
    """Samples with two pictures are picked for the trainers that take them, and written for each of these."""
    sources = several.pool.rows["source"][several.picks.rows.tolist()]
    assert sources.str.starts_with("qwen/").sum() > SIZE // 100
    target = tmp_path / f"mix{TRAINERS[writer]}"
    inside = "bytes" in home("write", writer).HOLDS
    several.write(target, to=writer.replace("_", "-"), **({} if inside else {"images_out": tmp_path / "images"}))
    assert check_mix(target, images=None if inside else tmp_path / "images", trainer=writer.replace("_", "-")) == []


def test_written_and_read_again(several, tmp_path):
    """What is written for TRL, with the bytes of the pictures, has as many samples and pictures as the mix."""
    several.write(tmp_path / "mix.parquet", to="trl")
    again = read_pool(tmp_path / "mix.parquet")
    assert len(again) == SIZE
    assert again.eligible.all()
    rows = several.pool.rows[several.picks.rows.tolist()]
    marks = sum(turn["value"].count("<image>") for turns in rows["turns"] for turn in turns)
    assert sum(turn["value"].count("<image>") for turns in again.rows["turns"] for turn in turns) == marks
