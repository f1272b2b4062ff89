"""The laws of a mix, each stated once and attacked with generated pools."""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders import of_ids
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe import check_mix, demo_pool, rebuild_mix, select_mix
from recipe.demo import write_demo
from recipe.errors import SupplyError
from recipe.report.stats import coverage
from recipe.stages.read import read_pool
from recipe.stages.write import llava

WORDS = [
    "red",
    "blue",
    "car",
    "dog",
    "cat",
    "tree",
    "house",
    "man",
    "street",
    "sky",
    "left",
    "two",
    "old",
    "small",
    "near",
]

SHORT = "\nAnswer the question using a single word or phrase."


@st.composite
def good_record(draw):
    """Draw a sound LLaVA record: one to three questions of mixed kinds, with or without an image."""
    image = draw(st.one_of(st.none(), st.sampled_from([f"coco/train2017/{i:012d}.jpg" for i in range(8)])))
    turns = []
    for at in range(draw(st.integers(1, 3))):
        topic = " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)))
        kind = draw(st.sampled_from(["closed", "short", "long"]))
        asks = {"closed": f"Is there a {topic}?", "short": f"What is {topic}?{SHORT}", "long": f"Describe the {topic}."}
        says = {"closed": draw(st.sampled_from(["yes", "no"])), "short": topic, "long": f"The picture shows {topic}."}
        mark = "<image>\n" if image and at == 0 else ""
        turns += [{"from": "human", "value": mark + asks[kind]}, {"from": "gpt", "value": says[kind]}]
    record = {"id": draw(st.sampled_from(["a", "b", 7])), "conversations": turns}
    return record | ({"image": image} if image else {})


BROKEN = [
    {"id": "x", "conversations": []},
    {"id": "x", "conversations": None},
    {"id": "x", "image": None, "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
    {"id": "x", "image": "/a.jpg", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
    {"id": "x", "conversations": [{"from": "human", "value": "A question"}]},
    {"id": "x", "conversations": [{"from": "human", "value": "A question"}, {"from": "gpt", "value": " "}]},
    {"id": "x", "conversations": [{"from": "user", "value": "A"}, {"from": "gpt", "value": "B"}]},
    {"id": "x", "conversations": [{"from": "human", "value": "<image>\nQ"}, {"from": "gpt", "value": "A"}]},
    {"id": "x", "conversations": [{"from": "human", "value": "Q </s>"}, {"from": "gpt", "value": "A"}]},
    {"id": "x", "conversations": [{"from": "human", "value": 3}, {"from": "gpt", "value": "A"}]},
    "no record",
]

records = st.lists(st.one_of(good_record(), st.sampled_from(BROKEN)), min_size=1, max_size=40)


SMALL = {"hashing": {"d": 16, "features": 512}}  # an embedding of toy texts that takes no time


def written(folder, parts, **knobs):
    """Write the parts as files, select from them, and return the mix with the bytes of its file."""
    files = []
    for at, part in enumerate(parts):
        file = Path(folder, f"part{at}.json")
        file.write_text(json.dumps(part))
        files.append({"path": str(file), "name": f"part{at}.json", "format": "llava"})
    mix = select_mix(files, embed=SMALL, **knobs)
    out = Path(folder, "out")
    out.mkdir(exist_ok=True)
    mix.write(out / "mix.json", overwrite=True)
    return mix, (out / "mix.json").read_bytes()


def count_supply(folder, given_records):
    """Count by hand how many samples could be picked: one mix of everything that is eligible."""
    try:
        mix, _ = written(folder, [given_records], size=1.0)
    except SupplyError:
        return 0
    return len(mix)


@given(records, st.integers(1, 40), st.integers(0, 3))
@settings(max_examples=60)
def test_laws_1_2_6_8(given_records, size, seed):
    """The size is exact or refused, picks are unique and sound, nothing is lost, and LLaVA's loader finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        supply = count_supply(folder, given_records)
        if size > supply:
            with pytest.raises(SupplyError, match=str(size) if supply else "none of the"):
                written(folder, [given_records], size=size, seed=seed)
            return
        mix, content = written(folder, [given_records], size=size, seed=seed)
        assert len(mix) == size == len(json.loads(content))
        assert len(set(mix.keys)) == size
        assert mix.pool.rows["problem"].gather(mix.picks.rows).null_count() == size
        assert mix.counts["read"] == len(given_records) == sum(n for name, n in mix.counts.items() if name != "read")
        rejects = Path(folder, "out", "mix.rejects.jsonl").read_text().splitlines()
        assert len(rejects) == sum(n for name, n in mix.counts.items() if name.startswith("rejected"))
        out = Path(folder, "out", "mix.json")
        assert [each.code for each in check_mix(out)] == of_ids(out)


@given(records, st.integers(0, 5), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_law_2_duplicates(given_records, copies, rng):
    """Two records with the same text about the same image are never both picked, even if everything is picked."""
    again = given_records + [rng.choice(given_records) for _ in range(copies)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            mix, content = written(folder, [again], size=1.0)
        except SupplyError:
            return
        contents = [json.dumps([r.get("image"), r["conversations"]]) for r in json.loads(content)]
        assert len(set(contents)) == len(contents) == len(mix)


@given(records, st.integers(0, 3), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_law_3_order(given_records, seed, rng):
    """The order of records and of files does not change one byte of the mix."""
    shuffled = list(given_records)
    rng.shuffle(shuffled)
    half = len(given_records) // 2
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        try:
            _, content = written(one, [given_records[:half], given_records[half:]], size=0.5, seed=seed)
        except SupplyError:
            return
        assert written(two, [shuffled], size=0.5, seed=seed)[1] == content


def bytes_in_process(folder, threads, sources):
    """Run the command line in a process of its own and return the bytes of everything it wrote."""
    out = Path(folder, f"out-{threads}-{len(sources[0])}")
    out.mkdir()
    command = [sys.executable, "-m", "recipe", "select", *sources, "--size", "600", "--out", str(out / "mix.json")]
    env = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
    subprocess.run(command, check=True, env=env, capture_output=True)
    return {file.name: file.read_bytes() for file in sorted(out.iterdir())}


def test_law_3_threads(tmp_path):
    """Threads, hash seeds and the order of the sources do not change one byte of any file that is written."""
    svit, mix = (str(path) for path in write_demo(tmp_path / "pool", images=100))
    once = bytes_in_process(tmp_path, "1", [svit, mix])
    assert len(once) == 5
    assert bytes_in_process(tmp_path, "2", [mix, svit]) == once


@pytest.fixture(scope="module")
def demo_mix():
    """Return a mix of a demo pool that is picked in blocks, not in one."""
    return select_mix(demo_pool(images=150), size=800, select={"facility": {"block": 500}})


def test_law_5_margins(demo_mix):
    """Tasks get what their rule gives them, and yes and no answers are equal, as far as the supply goes."""
    picked = demo_mix.pool.rows[demo_mix.picks.rows]
    tasks = Counter(picked["task"].to_list())
    report = demo_mix.quotas.report.filter(pl.col("margin") == "task")
    for value, supply, wanted in report.select("value", "supply", "wanted").iter_rows():
        assert abs(tasks[value] - wanted) <= 1
        assert tasks[value] <= supply
    assert abs(int(picked["n_yes"].sum()) - int(picked["n_no"].sum())) <= 1
    clusters = Counter(str(c) for c in picked["cluster"].to_list())
    given = demo_mix.quotas.report.filter(pl.col("margin") == "cluster")
    assert dict(given.filter(pl.col("quota") > 0).select("value", "quota").iter_rows()) == clusters


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(WORDS), st.integers(0, 99)), min_size=4, max_size=60))
@settings(max_examples=40)
def test_law_5_yes_and_no(answers):
    """In a pool of single questions yes and no differ by at most one wherever the supply of both allows it."""
    answer_of = {f"Is there a {word} {number}?": yes for yes, word, number in answers}
    talks = [[("human", question), ("gpt", "yes" if yes else "no")] for question, yes in answer_of.items()]
    given_records = [{"id": "a", "conversations": [{"from": f, "value": v} for f, v in talk]} for talk in talks]
    fewer = min(Counter(answer_of.values()).get(side, 0) for side in (True, False))
    if fewer == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        _, content = written(folder, [given_records], size=2 * fewer, dedup={"near": None})
        counts = Counter(r["conversations"][1]["value"] for r in json.loads(content))
        assert abs(counts["yes"] - counts["no"]) <= 1


@given(records, st.booleans())
@settings(max_examples=40)
def test_law_7_round_trip(given_records, jsonl):
    """Write, read and write again gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, content = written(folder, [given_records], size=1.0)
        except SupplyError:
            return
        first = Path(folder, "out", "mix.json")
        if jsonl:
            first = Path(folder, "mix.jsonl")
            first.write_bytes(b"\n".join(json.dumps(r).encode() for r in json.loads(content)))
        pool = read_pool({"path": str(first), "format": "llava"})
        again = Path(folder, "again.json")
        llava.write(pool, np.argsort(pool.rows["order"].to_numpy()), again)
        assert again.read_bytes() == content


def test_manifest_rebuilds_the_mix(tmp_path):
    """A manifest and the sources are enough to write the same bytes again, and a changed source is named."""
    sources = write_demo(tmp_path / "pool", images=20)
    select_mix([str(source) for source in sources], size=100).write(tmp_path / "mix.json")
    rebuilt = rebuild_mix(tmp_path / "mix.manifest.json", tmp_path / "again.json")
    assert rebuilt.read_bytes() == (tmp_path / "mix.json").read_bytes()
    changed = tmp_path / "pool" / "llava_mix.json"
    changed.write_bytes(changed.read_bytes() + b"\n")
    with pytest.raises(Exception, match=r"llava_mix\.json had SHA-256"):
        rebuild_mix(tmp_path / "mix.manifest.json", tmp_path / "again.json")


def test_token_budget():
    """A size in tokens is not exceeded, and used up to 1 %."""
    pool = demo_pool(images=40)
    mix = select_mix(pool, size="40k tokens")
    spent = int(mix.pool.rows["n_tokens"].gather(mix.picks.rows).sum())
    assert 0.99 * 40_000 <= spent <= 40_000


def test_per_image():
    """No image gives more than the recipe allows, and the size is still exact."""
    pool = demo_pool(images=40)
    mix = select_mix(pool, size=90, balance={"per_image": 2})
    images = mix.pool.rows["image"].gather(mix.picks.rows).drop_nulls().value_counts()
    assert len(mix) == 90
    assert images["count"].max() <= 2


def test_pack(tmp_path):
    """Packing merges single questions of one image, loses none, and LLaVA's loader finds nothing."""
    mix = select_mix(demo_pool(images=20), size=300, write={"pack": True})
    mix.write(tmp_path / "mix.json")
    packed = json.loads((tmp_path / "mix.json").read_text())
    answers = sum(turn["from"] == "gpt" for record in packed for turn in record["conversations"])
    assert len(packed) < 300
    assert answers == int(mix.pool.rows["n_qas"].gather(mix.picks.rows).sum())
    assert [each.code for each in check_mix(tmp_path / "mix.json")] == of_ids(tmp_path / "mix.json")


def test_better_than_random(demo_mix):
    """The mix covers its pool better than a random one under the same quotas, and nearly as well as exact greedy does.

    A random mix without quotas may cover more, since a mix of balanced tasks differs from an unbalanced pool.
    """
    pool, points = demo_mix.pool, np.flatnonzero(demo_mix.pool.eligible)
    whole = {"facility": {"block": len(pool)}}
    drawn, exact = (select_mix(demo_pool(images=150), size=800, select=how) for how in ("random", whole))
    baseline, reached, best = (coverage(pool.vectors, points, mix.picks.rows) for mix in (drawn, demo_mix, exact))
    assert reached - baseline > 0.9 * (best - baseline) > 0.02


def test_shuffled_demo(tmp_path):
    """Shuffling the items inside SVIT's raw files does not change the mix."""
    svit, other = write_demo(tmp_path / "pool", images=30)
    select_mix([str(svit), str(other)], size=200).write(tmp_path / "mix.json")
    for file in svit.glob("*.json"):
        items = json.loads(file.read_text())
        random.Random(1).shuffle(items)
        file.write_text(json.dumps(items))
    select_mix([str(other), str(svit)], size=200).write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "mix.json").read_bytes()
