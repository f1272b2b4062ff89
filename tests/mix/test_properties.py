"""Whatever a file holds: the good samples come through unchanged, the broken ones are named, and nothing is lost."""

import json
import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from builders import of_ids
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    NOT_RECORDS,
    REPAIRED,
    SMALL,
    TROUBLES,
    any_text,
    broken_sample,
    good_sample,
    recipe_knobs,
)

from recipe import check_mix, select_mix
from recipe.config.calls import call
from recipe.config.step import Step
from recipe.data.problems import PROBLEMS
from recipe.errors import SupplyError
from recipe.stages.read import read_pool
from recipe.stages.write import llava

good = good_sample().map(lambda record: (record, None))
OF_FILES = {"L01", "L02", "L03", "L04"}
OF_BENCHMARKS = {code for code in PROBLEMS if code.startswith("bench_")}  # no record has them by itself
OF_OTHER_LOADERS = {code for code in PROBLEMS if code.startswith("O")}  # no sample is rejected for them
OF_TRAINERS = {code for code in PROBLEMS if re.fullmatch(r"[TS]\d\d", code)}  # of files that other trainers read
OF_IMAGES = {"L08", "no_image_size", "bad_box"}  # each has a test of its own beside what finds it
SEEN_BY_CHECK = tuple(code for code in TROUBLES if code in PROBLEMS and re.fullmatch(r"[LW]\d\d", code))
REJECTED = tuple(code for code in (*TROUBLES, "not_a_record") if code not in REPAIRED)
ALL = {"size": 1.0, "embed": SMALL, "select": "random", "dedup": {"exact": False, "near": None}}


def save(folder, records, **layout):
    """Write records as a LLaVA file and name it as a source."""
    file = Path(folder, "given.json")
    file.write_text(json.dumps(records, **layout), "utf-8", "surrogatepass")
    return {"path": str(file), "format": "llava"}


def named(record):
    """Return a record as it should be written: its id as a string."""
    return record if isinstance(record["id"], str) else record | {"id": json.dumps(record["id"])}


def plain(records):
    """Count records by all that they hold."""
    return Counter(json.dumps(record, sort_keys=True) for record in records)


def rejects(mix):
    """Return the lines of the rejects beside a mix."""
    return [json.loads(line) for line in mix.with_name("mix.rejects.jsonl").read_text("ascii").splitlines()]


def in_file_order(pool):
    """Return the rows of a pool in the order of its only file."""
    return np.argsort(pool.rows["record"].to_numpy(), kind="stable")


def test_every_code_of_a_record_can_be_drawn():
    """The strategies know a trouble for every code but those of files, images, boxes, benchmarks, and pairs."""
    assert {
        *TROUBLES,
        "not_a_record",
        "dup",
    } | OF_FILES | OF_IMAGES | OF_BENCHMARKS | OF_OTHER_LOADERS | OF_TRAINERS == set(PROBLEMS)


@given(st.lists(good | broken_sample(REJECTED), max_size=12), good_sample())
@settings(max_examples=25)
def test_good_samples_come_through_and_broken_ones_are_named(mixture, last):
    """Good samples are in the mix with turns, image, id and unknown keys; broken ones are rejected under their code."""
    samples = [*mixture, (last, None)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "mix.json")
        select_mix(save(folder, [record for record, _ in samples]), **ALL).write(out)
        assert plain(json.loads(out.read_bytes())) == plain(named(record) for record, code in samples if code is None)
        found = {line["record"]: line["code"] for line in rejects(out)}
        assert found == {at: code for at, (_, code) in enumerate(samples) if code}


@given(st.lists(broken_sample(REPAIRED), min_size=1, max_size=6))
@settings(max_examples=10)
def test_a_misplaced_mark_is_the_only_thing_repaired(samples):
    """Where `<image>` is missing, repeated or amid a question, it is put in front, and nothing else changes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "mix.json")
        select_mix(save(folder, [record for record, _ in samples]), **ALL).write(out)
        written = json.loads(out.read_bytes())
        assert [each.code for each in check_mix(out)] == of_ids(out)
        assert all(record["conversations"][0]["value"].startswith("<image>\n") for record in written)
    for record in (*written, *(record for record, _ in samples)):
        words = record["conversations"][0]["value"].replace("<image>", "").split()
        record["conversations"][0]["value"] = " ".join(words)
    assert plain(written) == plain(named(record) for record, _ in samples)


@given(st.lists(st.lists(any_text, min_size=2, max_size=2) | st.lists(any_text, min_size=4, max_size=4), max_size=8))
def test_any_text_survives(talks):
    """Any text is the same after write and read, and a second writing gives the same bytes."""
    talks = [[{"from": ("human", "gpt")[i % 2], "value": text} for i, text in enumerate(talk)] for talk in talks]
    with tempfile.TemporaryDirectory() as folder:
        source = save(folder, [{"id": str(i), "conversations": talk} for i, talk in enumerate(talks)])
        files = [Path(folder, "once.json"), Path(folder, "twice.json")]
        for file in files:
            pool = read_pool(source)
            llava.write(pool, in_file_order(pool), file)
            source = {"path": str(file), "format": "llava"}
        assert [record["conversations"] for record in json.loads(files[0].read_bytes())] == talks
        assert files[0].read_bytes() == files[1].read_bytes()


def reordered(value, rng):
    """Return a JSON value with the keys of its objects in another order."""
    if isinstance(value, dict):
        keys = rng.sample(list(value), len(value))
        return {key: reordered(value[key], rng) for key in keys}
    return [reordered(item, rng) for item in value] if isinstance(value, list) else value


layouts = st.fixed_dictionaries(
    {
        "indent": st.none() | st.integers(0, 3) | st.just("\t"),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n", "\t:\n")]),
        "ensure_ascii": st.booleans(),
    }
)
# What cannot be decoded is known by its bytes, and half of a character can only be written as an escape.
DECODABLE = tuple(code for code in (*TROUBLES, "not_a_record") if code not in ("bad_json", "L12"))
good_or_broken = st.lists(good_sample() | broken_sample(DECODABLE).map(lambda drawn: drawn[0]), min_size=1, max_size=8)


@given(good_or_broken, layouts, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_white_space_and_key_order_are_no_identity(records, layout, rng):
    """Two files that differ only in white space, escapes and the order of keys give the same keys and problems."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = (
            read_pool(source).rows.sort("record").select("key", "id", "problem")
            for source in (save(folder, records), save(folder, reordered(records, rng), **layout))
        )
    assert one.equals(two)


@given(st.lists(good | broken_sample(SEEN_BY_CHECK), min_size=1, max_size=12))
@settings(max_examples=40)
def test_check_finds_what_was_planted_and_nothing_else(samples):
    """Every planted trouble is found once under its code at its record, and a good record has no finding."""
    records = [record | {"id": str(at)} for at, (record, _) in enumerate(samples)]  # ids of several types are O01
    with tempfile.TemporaryDirectory() as folder:
        findings = check_mix(save(folder, records)["path"])
    assert {(f.record, f.code) for f in findings} == {(at, code) for at, (_, code) in enumerate(samples) if code}


@given(st.sampled_from(NOT_RECORDS))
def test_check_names_what_is_no_record(entry):
    """An entry that is no object has no turns: L05."""
    with tempfile.TemporaryDirectory() as folder:
        assert [f.code for f in check_mix(save(folder, [entry])["path"])] == ["L05"]


@given(st.lists(good_sample() | broken_sample().map(lambda drawn: drawn[0]), min_size=1, max_size=16), recipe_knobs())
@settings(max_examples=30)
def test_every_sample_is_accounted_for_under_any_recipe(records, knobs):
    """What was read is picked, not picked or rejected, each in its file; and LLaVA's loader takes what was written."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "mix.json")
        try:
            mix = select_mix(save(folder, records), **knobs)
        except SupplyError:
            return  # a size that the pool cannot supply is refused, which other laws judge
        mix.write(out)
        lines = rejects(out)
        counts = json.loads(mix_file(out, "manifest.json").read_bytes())["counts"]
        found = {finding.code for finding in check_mix(out)} - set(of_ids(out))
    assert found <= ({"O01"} if knobs["write"]["ids"] == "given" else set())  # ids of several types were asked for
    assert counts["read"] == len(records)
    assert counts["picked"] == len(mix)
    assert counts["read"] == counts["picked"] + counts["not picked"] + len(lines)
    assert Counter(line["code"] for line in lines) == Counter(
        {name.removeprefix("rejected "): n for name, n in counts.items() if name.startswith("rejected ")}
    )


def mix_file(mix, name):
    """Return the path of a file beside a mix."""
    return mix.with_name(f"{mix.stem}.{name}")


def without_mark(record):
    """Return a record with the words of its questions but no mark of an image."""
    turns = [
        turn | {"value": " ".join(turn["value"].replace("<image>", " ").split())} if turn["from"] == "human" else turn
        for turn in record["conversations"]
    ]
    return record | {"conversations": turns}


@pytest.mark.parametrize(("image_token", "seen"), [("given", lambda record: record), ("front", without_mark)])
def test_llava_mix_round_trip(real_data, tmp_path, image_token, seen):
    """No record of a real mix differs after read and write; with the mark moved, none differs in anything else."""
    file = real_data / "llava" / "llava_mix.json"
    pool = read_pool(file, image_token=image_token)
    llava.write(pool, in_file_order(pool), tmp_path / "mix.json", ids="given")
    given_records, written = json.loads(file.read_bytes()), json.loads((tmp_path / "mix.json").read_bytes())
    differ = [i for i, (a, b) in enumerate(zip(given_records, written, strict=True)) if seen(a) != seen(b)]
    assert differ == []


def test_all_real_data_give_a_mix_without_findings(real_data, tmp_path):
    """Everything eligible in all real files, the quirks among them, is a mix of which LLaVA's loader takes all."""
    folders = [real_data / name for name in ("svit", "svit_real", "vision_flan", "quirks")]
    pool = read_pool([*folders, real_data / "llava" / "llava_mix.json"], lenient=True)  # the mix is the other files
    pool = pool.refuse(call("tag", Step("trouble", {}), pool)["problem"])
    out = tmp_path / "mix.json"
    assert llava.write(pool, np.flatnonzero(pool.eligible), out) == int(pool.eligible.sum()) > 100_000
    assert [finding.code for finding in check_mix(out)] == ["O04"]  # ids repeat in the real files
