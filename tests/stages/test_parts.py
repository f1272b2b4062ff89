"""Mixes of several parts: sizes, who picks what, records as they were read, files, and the presets that need them."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import pool_of

from recipe import Recipe, demo_pool, open_mix, read_pool, rebuild_mix, select_mix
from recipe.check import check_mix
from recipe.check.drift.baseline import diff_files
from recipe.data.picks import Picks
from recipe.data.quotas import REPORT, Quotas
from recipe.demo import write_demo
from recipe.errors import ConfigError, RecipeError, SupplyError
from recipe.mix.from_file import file_stats
from recipe.mix.manifest import manifest_of
from recipe.mix.originals import one_line
from recipe.stages.parts import pick_parts

FREE = {"margins": {}, "yes_share": None}
SHORT = {"embed": {"hashing": {"d": 16, "features": 512}}, "score": ["balance"], "select": "random", "balance": FREE}
STAGES = ["mix.stage1.json", "mix.stage2.json"]
WORD = "\nAnswer the question using a single word or phrase."


def record(name, *texts, **more):
    """One record of LLaVA's, its own keys first."""
    turns = [{"from": ("human", "gpt")[i % 2], "value": text} for i, text in enumerate(texts)]
    return {"id": name, **more, "conversations": turns}


def gqa(i, **more):
    """A record of GQA, whose ids are numbers."""
    return record(i, f"<image>\nIs thing {i} there?{WORD}", "Yes", image=f"gqa/images/{i}.jpg", **more)


def instruct(i):
    """A record of LLaVA-Instruct, which has `<image>` last."""
    name = f"{i:012d}"
    return record(name, f"What is thing {i}?\n<image>", f"A thing number {i}.", image=f"coco/train2017/{name}.jpg")


def picked(mix, name):
    """The values of a column in pick order."""
    return mix.pool.rows[name].gather(mix.picks.rows).to_list()


@pytest.fixture
def llava(tmp_path):
    """A small mix of LLaVA's: odd records among plain ones, written as `json.dump` does; and the demo's SVIT files."""
    turned = [{"value": f"<image>\nWhat?{WORD}", "from": "human"}, {"from": "gpt", "value": "Dog", "markdown": None}]
    odd = [
        {"model": "", "id": "wNBG8Gp_0", "conversations": record("", "Hi \u732b", " padded \n")["conversations"]},
        {**gqa(90), "conversations": turned},
        gqa(91, weight=1.50),
        record("mid", f"<image>\nWho?{WORD}", "One", "Again?", "Two", image="gqa/images/92.jpg"),
        record("end", f"Who?{WORD}\n<image>", "One", image="gqa/images/93.jpg"),
    ]
    records = [odd[0], *(gqa(i) for i in range(20)), *odd[1:], *(instruct(i) for i in range(30)), gqa(3), gqa(3)]
    records.append(record("empty", f"<image>\nWhat?{WORD}", "", image="gqa/images/94.jpg"))
    records.append(record("twice", f"<image>\nWho?{WORD}", "One", "<image>\nNo?", "Two", image="gqa/images/95.jpg"))
    (tmp_path / "llava.json").write_text(json.dumps(records))
    (tmp_path / "svit").mkdir()
    write_demo(tmp_path / "svit", images=6)
    for file in tmp_path.glob("svit/*llava*"):
        file.unlink()
    return tmp_path, records


def plan(folder, **knobs):
    """A recipe that replaces LLaVA-Instruct by SVIT samples."""
    shuns = ["llava_conversation", "llava_detail", "llava_reasoning"]
    svit = [f"svit_{task}" for task in ("conversation", "complex_reasoning", "detail_description", "referring_qa")]
    parts = {
        "core": {"where": {"dataset": svit}},
        "llava": {
            "where": {"source": ["llava.json"]},
            "where_not": {"dataset": shuns},
            "size": "all",
            "select": "given",
        },
    }
    sources = [str(folder / "llava.json"), str(folder / "svit")]
    return Recipe.of(SHORT | {"sources": sources, "size": 60, "parts": parts, "write": {"records": "given"}} | knobs)


# records as they were read


def test_kept_records_are_as_they_were(llava):
    """All records except LLaVA-Instruct's follow the core set, byte for byte, in their order, repeats included."""
    folder, records = llava
    mix = select_mix(recipe=plan(folder))
    mix.write(folder / "mix.json")
    lines = [line.removesuffix(",") for line in (folder / "mix.json").read_text("ascii").splitlines()[1:-1]]
    kept = [json.dumps(r) for r in records if "coco" not in r.get("image", "") and r["id"] not in ("empty", "twice")]
    assert kept.count(json.dumps(gqa(3))) == 3
    core = len(lines) - len(kept) - 1
    assert len(lines) == 60
    assert lines[core:-1] == kept
    assert all(json.loads(line)["id"].startswith("svit_") for line in lines[:core])
    # the last one has two marks, which stop the trainer, so it is written again
    assert [t["value"] for t in json.loads(lines[-1])["conversations"]] == [f"<image>\nWho?{WORD}", "One", "No?", "Two"]
    assert not [each for each in check_mix(folder / "mix.json") if each.severity == "stops"]


def test_an_empty_answer_stays_a_reject(llava):
    """A record with a problem is in no part, and is listed with its problem."""
    folder, _ = llava
    mix = select_mix(recipe=plan(folder))
    rows = mix.pool.rows.filter(mix.pool.rows["id"] == "empty")
    assert rows["problem"][0].startswith(("L", "W"))
    assert "empty" not in picked(mix, "id")


@pytest.mark.parametrize("shape", ["indented", "lines", "wrapped", "utf8"])
def test_any_file_of_records(llava, shape):
    """Records are found again in any container; only line breaks between values and the spelling of letters differ."""
    folder, records = llava
    text = {
        "indented": json.dumps(records, indent=2),
        "lines": "\n".join(map(json.dumps, records)),
        "wrapped": json.dumps({"version": 1, "data": records}),
        "utf8": json.dumps(records, ensure_ascii=False),
    }[shape]
    (folder / "llava.json").write_text(text, "utf-8")
    mix = select_mix(recipe=plan(folder))
    mix.write(folder / "mix.json")
    written = json.loads((folder / "mix.json").read_text("ascii"))
    kept = [r for r in records if "coco" not in r.get("image", "") and r["id"] not in ("empty", "twice")]
    got = written[-len(kept) - 1 : -1]
    assert [json.dumps(each) for each in got] == [json.dumps(each) for each in kept]


def test_a_run_on_disk_writes_the_same(llava, monkeypatch):
    """With a cache, and with files cut into pieces, the bytes are those of a run in memory."""
    folder, _ = llava
    select_mix(recipe=plan(folder)).write(folder / "a.json")
    for name in ("b", "c"):  # the second time all of it comes from the cache
        monkeypatch.setattr("recipe.stages.read._shards.PIECE", 2000)
        select_mix(recipe=plan(folder), cache=folder / "cache").write(folder / f"{name}.json")
        assert (folder / f"{name}.json").read_bytes() == (folder / "a.json").read_bytes()


def test_a_file_that_changed_is_no_original(llava):
    """A record that has changed since it was read is an error, and no other record is written instead."""
    folder, records = llava
    mix = select_mix(recipe=plan(folder))
    mix.stats()
    (folder / "llava.json").write_text(json.dumps(records[1:] + records[:1]))
    with pytest.raises(RecipeError, match=r"it changed while it was read|is not the one that was read"):
        mix.write(folder / "mix.json")


def test_a_pool_in_memory_has_no_originals(tmp_path):
    """Records of a pool that names no sources cannot be taken from them."""
    mix = select_mix(demo_pool(images=4), size=9, write={"records": "given"}, **SHORT)
    with pytest.raises(ConfigError, match="pool in memory"):
        mix.write(tmp_path / "mix.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_one_line_is_the_same_value(value, indent, ascii_only):
    """However a value is written, its one line is ASCII and decodes to it."""
    try:
        raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return
    line = one_line(raw)
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == value


# rebuilt and opened again


@pytest.mark.parametrize(
    "write", [{}, {"order": "shuffled"}, {"files": "parts"}, {"files": "parts", "order": "shuffled"}]
)
def test_rebuilt_and_opened(llava, write):
    """A mix of parts is rebuilt to the same bytes and opened as it was: keys, cells, gaps and report."""
    folder, _ = llava
    mix = select_mix(recipe=plan(folder, write={"records": "given", **write}))
    files = mix.write(folder / "mix.json")[: 2 if "files" in write else 1]
    bytes_ = [file.read_bytes() for file in files]
    assert rebuild_mix(folder / "mix.manifest.json", folder / "again.json").name.startswith("again")
    assert [file.with_name(file.name.replace("mix", "again", 1)).read_bytes() for file in files] == bytes_
    opened = open_mix(folder / "mix.json")
    assert opened.keys == mix.keys
    assert opened.quotas.report.equals(mix.quotas.report)
    assert np.array_equal(opened.quotas.cell, mix.quotas.cell)
    assert np.array_equal(opened.quotas.quota, mix.quotas.quota)
    assert opened.gaps().short == mix.gaps().short
    assert opened.report(folder / "page.html").is_file()
    assert diff_files(folder / "mix.json", folder / "mix.json").kept == len(mix)
    assert file_stats(folder / "mix.json").metrics() == mix.stats().metrics()


def test_a_file_for_each_part(llava):
    """Each part is a file named after it; the manifest names them all, and none of them is the whole mix."""
    folder, _ = llava
    mix = select_mix(recipe=plan(folder, write={"files": "parts"}))
    files = mix.write(folder / "mix.json")
    assert [file.name for file in files[:2]] == ["mix.core.json", "mix.llava.json"]
    manifest = manifest_of(folder / "mix.json")
    sizes = [len(json.loads(file.read_bytes())) for file in files[:2]]
    assert [one["records"] for one in manifest["mix"]["files"]] == sizes == list(manifest["parts"].values())
    assert manifest["mix"]["records"] == sum(sizes) == 60
    assert [manifest_of(file) for file in files[:2]] == [None, None]
    files[1].write_text("[]")
    assert manifest_of(folder / "mix.json") is None


def test_shuffling_depends_on_the_seed(llava):
    """The same records in random order: the same order for the same seed, another one for another seed."""
    folder, _ = llava
    texts = []
    for seed, order in ((0, "picked"), (0, "shuffled"), (0, "shuffled"), (1, "shuffled")):
        mix = select_mix(recipe=plan(folder, seed=seed, parts={}, size=1.0, write={"order": order}))
        mix.write(folder / "mix.json", overwrite=True)
        texts.append((folder / "mix.json").read_text().splitlines()[1:-1])
    contents = [sorted(line.removesuffix(",") for line in text) for text in texts]
    assert contents[0] == contents[1] == contents[3]
    assert texts[1] == texts[2]
    assert len({tuple(text) for text in texts}) == 3


# who picks what


def parts_of(n_a, n_b, sizes, count, problems=None):
    """Pick by a recipe of parts from a pool of sources a and b, each part the first rows that it may pick."""
    pool = pool_of(
        n_a + n_b, source=["a"] * n_a + ["b"] * n_b, problem=problems or [None] * (n_a + n_b), cluster=[0] * (n_a + n_b)
    )

    def first(turn):
        rows = np.flatnonzero(turn.pool.eligible)
        if len(rows) < turn.size:
            raise SupplyError("too few")
        cell = np.where(turn.pool.eligible, 0, -1).astype(np.int32)
        one = np.array([turn.size]), np.zeros(1, np.int32), np.zeros(1, np.bool_)
        image, report = np.arange(len(pool), dtype=np.int32), pl.DataFrame(schema=REPORT)
        return turn.pool, Picks(rows[: turn.size]), Quotas(cell, *one, image, None, report)

    return pick_parts(pool, Recipe(parts=sizes, score=()), count, first)


def test_sizes_by_hand():
    """A count, a share of the whole, all that matches, and the rest of the size."""
    parts = {
        "count": {"where": {"source": ["a"]}, "size": 3},
        "share": {"where": {"source": ["a"]}, "size": 0.25},
        "rest": {"where": {"source": ["a"]}},
        "all": {"where": {"source": ["b"]}, "size": "all"},
    }
    _, picks, quotas = parts_of(30, 5, parts, 20)
    assert picks.rows.tolist() == [*range(15), *range(30, 35)]
    wanted = quotas.report.select("margin", "value", "supply", "quota").rows()
    assert wanted == [
        ("part", "count", 30, 3),
        ("part", "share", 27, 5),
        ("part", "rest", 22, 7),
        ("part", "all", 5, 5),
    ]
    assert quotas.quota.tolist() == [3, 5, 7, 5]
    assert quotas.stratum.tolist() == [0, 1, 2, 3]


def test_a_row_belongs_to_the_part_that_picked_it_or_could_last():
    """Cells and the column `part` say for each row under which part's quota it was."""
    parts = {"one": {"size": 2}, "two": {"where": {"source": ["a"]}, "size": 1}}
    pool, picks, quotas = parts_of(4, 2, parts, 9)
    assert picks.rows.tolist() == [0, 1, 2]
    assert pool.rows["part"].to_list() == ["one", "one", "two", "two", "one", "one"]
    assert quotas.cell.tolist() == [0, 0, 1, 1, 0, 0] == pool.rows["cell"].to_list()


def test_all_comes_first_and_takes_duplicates():
    """A part of size all claims its rows first, duplicates included, but no row with another problem."""
    parts = {"one": {"size": 2}, "all": {"where": {"source": ["a"]}, "size": "all"}}
    problems = [None, "dup:x", "L06", "W01", None, "dup:y", None]
    pool, picks, _ = parts_of(4, 3, parts, 9, problems)
    assert picks.rows.tolist() == [4, 6, 0, 1]
    assert pool.rows["problem"].to_list() == [None, None, "L06", "W01", None, "dup:y", None]


asked_parts = st.tuples(st.sampled_from([(), ("a",), ("b",)]), st.sampled_from([1, 2, 0.1, "all", None]))


@settings(max_examples=50)
@given(st.lists(asked_parts, min_size=1, max_size=4), st.integers(5, 30))
def test_no_row_twice_and_the_size_is_met(wanted, count):
    """For any parts, picks are unique and eligible; with a part for the rest their number is exactly the size."""
    parts = {f"p{i}": {"where": {"source": w} if w else {}, "size": size} for i, (w, size) in enumerate(wanted)}
    problems = [None, "dup:x", "L01"] * 14
    if sum(part["size"] is None for part in parts.values()) > 1:
        return
    try:
        pool, picks, quotas = parts_of(20, 22, parts, count, problems)
    except RecipeError:
        return
    assert len(set(picks.rows.tolist())) == len(picks) == quotas.size
    assert pool.eligible[picks.rows].all()
    assert not pool.rows["problem"].gather(picks.rows).drop_nulls().len()
    assert np.bincount(quotas.cell[picks.rows], minlength=len(quotas.quota)).tolist() == quotas.quota.tolist()
    numbers = [list(parts).index(name) for name in pool.rows["part"].gather(picks.rows)]
    assert all(a <= b for a, b in pairwise(numbers))
    if any(part["size"] is None for part in parts.values()):
        assert len(picks) == count


def test_order_of_files_does_not_matter(llava):
    """Parts that pick by key pick the same samples for any order of the sources."""
    folder, _ = llava
    sources = [str(folder / "llava.json"), str(folder / "svit")]
    mixes = [select_mix(recipe=plan(folder, sources=some)) for some in (sources, sources[::-1])]
    assert sorted(mixes[0].keys) == sorted(mixes[1].keys)


# what is refused

BAD = {
    "two rests": ({"a": {}, "b": {}}, 5, ConfigError, "all parts but one, got none for a, b"),
    "no room": ({"a": {"size": 5}, "b": {}}, 5, SupplyError, "leave none for parts.b"),
    "no column": ({"a": {"where": {"sauce": ["x"]}}}, 5, ConfigError, "parts.a: no column 'sauce'.*'source'"),
    "no match": ({"a": {"where": {"source": ["x"]}}}, 5, ConfigError, "no eligible sample"),
    "too few": ({"a": {"size": 900}}, 900, SupplyError, "parts.a: size=900"),
    "a bad selector": ({"a": {"select": "kenter"}}, 5, ConfigError, "did you mean 'kcenter'"),
    "a bad margin": ({"a": {"balance": {"margins": {"task": "evn"}}}}, 5, ConfigError, "did you mean 'even'"),
}


@pytest.mark.parametrize(("parts", "size", "error", "match"), BAD.values(), ids=BAD)
def test_what_no_pool_can_give(parts, size, error, match):
    """One line says which part is impossible, and why."""
    with pytest.raises(error, match=match):
        select_mix(demo_pool(images=4), size=size, parts=parts, **SHORT)


@pytest.mark.parametrize(
    ("knobs", "match"),
    [
        ({"parts": {"a": {"size": "20M tokens"}}}, "a count, a share or all"),
        ({"write": {"pack": True, "records": "given"}}, "choose one"),
    ],
)
def test_knobs_that_clash(knobs, match):
    """A contradictory recipe is refused when it is made."""
    with pytest.raises(ConfigError, match=match):
        Recipe.of(knobs)


def test_files_by_part_need_parts():
    """A file for each part of a mix without parts is refused before anything is read."""
    with pytest.raises(ConfigError, match="files=parts: expected a recipe with parts"):
        select_mix(demo_pool(images=4), size=5, write={"files": "parts"}, **SHORT)


# a whole recipe


def test_parts_in_yaml():
    """A recipe of parts survives being written and read."""
    recipe = Recipe.of("vision-flan-two-stage")
    assert list(recipe.parts) == ["stage1", "stage2"]
    assert Recipe.of(yaml.safe_load(recipe.to_yaml())) == recipe


def test_each_part_has_its_own_balance_and_scores():
    """Margins, yes and no, and scores hold in each part by itself."""
    two = {"task": ["conversation", "complex_reasoning"]}
    parts = {
        "even": {"where": two, "size": 40, "balance": {"margins": {"task": "even"}, "yes_share": None}},
        "rest": {"where": {"task": ["referring_qa"]}, "select": "given"},
    }
    mix = select_mix(demo_pool(images=30), size=60, parts=parts, **{**SHORT, "score": ["balance", "length"]})
    tasks = picked(mix, "task")
    assert (tasks.count("conversation"), tasks.count("complex_reasoning"), tasks.count("referring_qa")) == (20, 20, 20)
    assert picked(mix, "part") == ["even"] * 40 + ["rest"] * 20
    order = picked(mix, "order")[40:]
    assert order == sorted(order)
    # the probability of a draw under the quotas: over all rows of a part it sums to its size
    scores = mix.pool.rows.group_by("part").agg(pl.col("balance").sum()).drop_nulls()
    assert {name: round(total, 3) for name, total in scores.iter_rows()} == {"even": 40, "rest": 20}
    assert mix.why(mix.keys[0]).cell["quota"] == 20
    assert mix.gaps("concept").size == 60


def test_a_token_budget_of_parts():
    """A token budget is kept, and samples are cut from the last part."""
    parts = {"a": {"where": {"task": ["conversation"]}, "size": 5}, "rest": {}}
    mix = select_mix(demo_pool(images=10), size="3k tokens", parts=parts, **SHORT)
    assert sum(picked(mix, "n_tokens")) <= 3000
    assert picked(mix, "part")[:6] == ["a"] * 5 + ["rest"]


@pytest.mark.parametrize("preset", ["svit-core-150k", "svit-mix-665k", "vision-flan-two-stage"])
def test_presets_on_real_samples(real_data, tmp_path, preset):
    """Each preset runs by its name on real files, hits its size, and writes what LLaVA can read."""
    svit, gqa_file, instruct_file, flan = (
        str(real_data / name) for name in ("svit_real", "llava/gqa.json", "llava/llava_instruct.json", "vision_flan")
    )
    sources, size = {
        "svit-core-150k": ([svit], 6),
        "svit-mix-665k": ([svit, gqa_file, instruct_file], len(read_pool(gqa_file)) + 5),
        "vision-flan-two-stage": ([flan, instruct_file], 1500),
    }[preset]
    recipe = Recipe.of(preset)
    if "stage2" in recipe.parts:  # there are a hundred such samples only
        recipe = Recipe.of(recipe, parts=recipe.parts | {"stage2": {**recipe.parts["stage2"].model_dump(), "size": 50}})
    mix = select_mix(sources, recipe=recipe, size=size)
    assert len(mix) == size
    written = [file for file in mix.write(tmp_path / "mix.json") if file.name in {"mix.json", *STAGES}]
    assert [file.name for file in written] == (STAGES if "flan" in preset else ["mix.json"])
    assert sum(len(json.loads(file.read_bytes())) for file in written) == size
    assert not [each for file in written for each in check_mix(file) if each.severity != "other"]
    assert ("llava_conversation" in picked(mix, "dataset")) == ("flan" in preset)
