"""The write room: records as LLaVA reads them, nothing lost, the order kept, packs that hold what they should."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from builders import of_ids
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipe.check import check_mix
from recipe.config.registry import find
from recipe.data.pool import SCHEMA, Pool
from recipe.errors import ConfigError, InputError
from recipe.io import arrow
from recipe.stages.read import read_pool
from recipe.stages.write import _records, _scores
from recipe.stages.write._pack import TEMPLATE, pack
from recipe.stages.write._records import records
from recipe.stages.write.jsonl import write as write_jsonl
from recipe.stages.write.llava import write as write_llava


def talk(*texts):
    """Turns of human and gpt by turns."""
    return [{"from": ("human", "gpt")[i % 2], "value": text} for i, text in enumerate(texts)]


def sample(*texts, name="1", image=None, extra=None, **columns):
    """What a row of a pool says, and defaults for the rest."""
    rest = {
        "source": "a.json",
        "record": 0,
        "order": 0,
        "task_name": None,
        "n_words": 2,
        "n_tokens": 10,
        "problem": None,
    }
    extra = None if extra is None else json.dumps(extra)
    return {"id": name, "image": image, "turns": talk(*texts), "extra": extra, **rest, **columns}


def make_pool(*samples):
    """A pool of samples in the given order."""
    rows = [{"row": i, "key": f"{i:032x}", **columns} for i, columns in enumerate(samples)]
    return Pool(pl.DataFrame(rows, schema_overrides=SCHEMA))


def question(image, n_tokens=10, **columns):
    """One question about an image, as a VQA source has it."""
    return sample("<image>\nWhat?", "cat", image=image, n_tokens=n_tokens, **columns)


def read(path):
    """The records of a written file."""
    text = path.read_text("ascii")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def test_a_file_by_hand(tmp_path):
    """One array, one ASCII record a line, in the order of the rows, no image key for text only."""
    pool = make_pool(sample("<image>\nWhat?", "Ça, 猫.", name="b", image="coco/1.jpg"), sample("Why?", "So.", name="a"))
    assert write_llava(pool, [1, 0], tmp_path / "mix.json") == 2
    why = '{"id": "a", "conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]}'
    what = (
        '{"id": "b", "image": "coco/1.jpg", "conversations": [{"from": "human", "value": "<image>\\nWhat?"}, '
        '{"from": "gpt", "value": "\\u00c7a, \\u732b."}]}'
    )
    assert (tmp_path / "mix.json").read_bytes() == f"[\n{why},\n{what}\n]\n".encode()
    assert write_jsonl(pool, [1, 0], tmp_path / "mix.jsonl") == 2
    assert (tmp_path / "mix.jsonl").read_bytes() == f"{why}\n{what}\n".encode()


def test_no_rows_is_an_empty_file(tmp_path):
    """Nothing picked gives an empty array and an empty file of lines."""
    pool = make_pool(sample("Why?", "So."))
    assert write_llava(pool, [], tmp_path / "mix.json") == write_jsonl(pool, [], tmp_path / "mix.jsonl") == 0
    assert (read(tmp_path / "mix.json"), read(tmp_path / "mix.jsonl")) == ([], [])


def test_unknown_keys_come_back_where_they_were():
    """Keys of the record follow its own in their order, keys of a turn stand in that turn."""
    extra = {"model": "", "weight": 1.5, "conversations": [{}, {"score": [1, None]}]}
    [record] = records(make_pool(sample("Why?", "So.", extra=extra)), [0])
    turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So.", "score": [1, None]}]
    assert json.dumps(record) == json.dumps({"id": "1", "conversations": turns, "model": "", "weight": 1.5})


@pytest.mark.parametrize(("ids", "expected"), [("string", "7"), ("given", 7)])
def test_an_id_that_was_no_string(ids, expected):
    """It is written as a string, or as it was given; it is no unknown key either way."""
    [record] = records(make_pool(sample("Why?", "So.", name="7", extra={"id": 7})), [0], ids=ids)
    assert list(record.items()) == [("id", expected), ("conversations", talk("Why?", "So."))]


def test_unknown_ids_are_refused(tmp_path):
    """Another way to write ids is an error that names the two there are, and no file is left."""
    with pytest.raises(ConfigError, match="string, given, got ids='int'"):
        write_llava(make_pool(sample("Why?", "So.")), [0], tmp_path / "mix.json", ids="int")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file(tmp_path):
    """A run that fails amid writing leaves the file of before and nothing half-written."""
    path = tmp_path / "mix.json"
    path.write_text("old")
    pool = make_pool(sample("Why?", "So."), sample("Why?", "So.", extra={"conversations": [{}]}))
    with pytest.raises(ValueError, match="zip"):
        write_llava(pool, [0, 1], path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path):
    """Writing into no folder is an input error that names the file."""
    with pytest.raises(InputError, match="nowhere"):
        write_llava(make_pool(sample("Why?", "So.")), [0], tmp_path / "nowhere" / "mix.json")


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_slices_make_no_difference(k, monkeypatch):
    """Records are the same for any number of rows in memory at a time."""
    pool = make_pool(*[sample("Why?", f"Answer {i}.", name=str(i)) for i in range(5)])
    rows = np.array([3, 0, 4, 1, 2])
    whole = list(records(pool, rows))
    monkeypatch.setattr(_records, "SLICE", k)
    assert list(records(pool, rows)) == whole
    assert [record["id"] for record in whole] == ["3", "0", "4", "1", "2"]


@given(st.lists(st.integers(0, 19), max_size=12), st.integers(1, 25))
def test_taking_is_indexing(rows, piece):
    """Rows taken from pieces of a table are those of plain indexing, in the given order, for any chunks."""
    half = pl.DataFrame({"a": range(10), "b": [[str(i)] * (i % 3) for i in range(10)]})
    table = pl.concat([half, half.with_columns(pl.col("a") + 10)], rechunk=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow, "PIECE", piece)
        assert arrow.take(table, ["b", "a"], np.array(rows, np.int64)).equals(table[rows].select("b", "a"))


@pytest.mark.parametrize("n", [0, 1, 7, 20])
def test_scores_are_the_same_bytes_however_they_lie(n, tmp_path, monkeypatch):
    """A table is read back as it was, and its file hangs neither on the chunks of its columns nor on longer buffers."""
    monkeypatch.setattr(_scores, "ROWS", 8)
    table = pl.DataFrame(
        {"a": range(40), "b": [[str(i)] * (i % 3) for i in range(40)], "c": [None, "x"] * 20},
        schema={"a": pl.UInt32, "b": pl.List(pl.String), "c": pl.String},
    )
    whole = table.head(n)
    parts = pl.concat([table.slice(0, min(3, n)), table.slice(min(3, n), max(0, n - 3))], rechunk=False)
    copied = pl.DataFrame(whole.to_dict(as_series=False), schema=whole.schema)
    written = []
    for frame in (whole, parts, copied):
        with (tmp_path / "scores.parquet").open("wb") as file:
            _scores.write_scores(frame, file)
        assert pl.read_parquet(tmp_path / "scores.parquet").equals(whole)
        written.append((tmp_path / "scores.parquet").read_bytes())
    assert written[0] == written[1] == written[2]


def test_the_room_finds_both_writers():
    """A recipe names them by their file."""
    assert find("write", "llava") is write_llava
    assert find("write", "jsonl") is write_jsonl


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            texts,
            st.none() | texts,
            st.lists(texts, min_size=1, max_size=4),
            st.dictionaries(texts.filter(lambda key: key not in ("id", "image", "conversations")), values, max_size=3),
        ),
        min_size=1,
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_nothing_is_lost(tmp_path, samples, random):
    """Whatever a pool holds stands in both files, in the order of the rows, and nothing else."""
    pool = make_pool(*[sample(*turns, name=name, image=image, extra=extra) for name, image, turns, extra in samples])
    rows = random.sample(range(len(samples)), len(samples))
    expected = []
    for name, image, turns, extra in (samples[row] for row in rows):
        shown = {} if image is None else {"image": image}
        expected.append({"id": name, **shown, "conversations": talk(*turns), **extra})
    for write, path in ((write_llava, tmp_path / "mix.json"), (write_jsonl, tmp_path / "mix.jsonl")):
        assert write(pool, rows, path) == len(samples)
        assert read(path) == expected


# packing


def test_packing_by_hand(tmp_path):
    """Questions about one image become turns of one record, which stands where the first of them stood."""
    pool = make_pool(
        sample("<image>\nWhat?\nOne word.", "cat", name="a", image="1.jpg"),
        sample("Why?", "So.", name="b"),
        sample("<image>\nHow many?\nOne word.", "2", name="c", image="1.jpg"),
        sample("<image>\nWhere?", "here", name="d", image="2.jpg"),
    )
    assert write_llava(pool, [2, 1, 3, 0], tmp_path / "mix.json", pack=True) == 3
    merged = talk("<image>\nHow many?\nOne word.", "2", "What?\nOne word.", "cat")
    assert read(tmp_path / "mix.json") == [
        {"id": "c", "image": "1.jpg", "conversations": merged},
        {"id": "b", "conversations": talk("Why?", "So.")},
        {"id": "d", "image": "2.jpg", "conversations": talk("<image>\nWhere?", "here")},
    ]
    assert [each.code for each in check_mix(tmp_path / "mix.json")] == of_ids(tmp_path / "mix.json")


@pytest.mark.parametrize(
    "other",
    [
        question("2.jpg"),
        question("1.jpg", source="b.json"),
        question("1.jpg", task_name="caption"),
        question("1.jpg", extra={"model": ""}),
        question("1.jpg", extra={"conversations": [{}, {"score": 1}]}),
        question("1.jpg", n_tokens=91),
        sample("<image>\nWhat?", "cat", "And?", "dog", image="1.jpg"),
        sample("What?\n<image>", "cat", image="1.jpg"),
        sample("What?", "cat"),
    ],
    ids=["image", "source", "task", "keys", "keys of turns", "too long", "several turns", "mark behind", "text only"],
)
def test_what_is_not_packed(other):
    """Only single questions of one image, source and task, with nothing of their own to lose, become one record."""
    assert pack(make_pool(question("1.jpg"), other), [0, 1], max_tokens=100) == [[0], [1]]


@pytest.mark.parametrize(("most", "groups"), [(100, [[0, 1]]), (99, [[0], [1]])])
def test_a_record_is_filled_to_its_last_token(most, groups):
    """Two questions of 40 tokens and the 10 of their template each are one record of 100 tokens, and not of 99."""
    pool = make_pool(question("1.jpg", 40), question("1.jpg", 40))
    assert pack(pool, [0, 1], max_tokens=most) == groups


def test_ids_that_were_no_strings_do_not_hinder():
    """An id kept aside is no reason to stay alone: the merged record has the first id."""
    pool = make_pool(question("1.jpg", name="7", extra={"id": 7}), question("1.jpg", name="8", extra={"id": 8}))
    assert pack(pool, [1, 0], max_tokens=100) == [[1, 0]]


def test_tagged_tasks_are_kept_apart():
    """Where the pool says what task a sample is, a record holds one task."""
    pool = make_pool(*[question("1.jpg", task=task) for task in ("yes_no", "short_vqa", "yes_no")])
    assert pack(pool, [0, 1, 2], max_tokens=100) == [[0, 2], [1]]


members = st.tuples(st.sampled_from(["1.jpg", "2.jpg", None]), st.integers(0, 60), st.booleans())


@given(st.lists(members, min_size=1, max_size=30), st.integers(1, 100), st.randoms(use_true_random=False))
def test_laws_of_packing(samples, max_tokens, random):
    """Each row is in one group, order is kept, groups are of one image and not too long, and no two neighbours fit."""
    several = ("Why?", "So.", "How?", "So.")
    pool = make_pool(
        *[
            question(image, n) if image and single else sample(*several, image=image, n_tokens=n)
            for image, n, single in samples
        ]
    )
    rows = random.sample(range(len(samples)), random.randint(1, len(samples)))
    groups = pack(pool, rows, max_tokens=max_tokens)
    place = {row: i for i, row in enumerate(rows)}
    assert sorted(row for group in groups for row in group) == sorted(rows)
    assert [place[group[0]] for group in groups] == sorted(place[group[0]] for group in groups)
    lengths = [sum(samples[row][1] + TEMPLATE for row in group) for group in groups]
    for group, length in zip(groups, lengths, strict=True):
        assert group == sorted(group, key=place.get)
        assert len({samples[row][0] for row in group}) == 1
        assert len(group) == 1 or (length <= max_tokens and all(samples[row][2] for row in group))
    for shown in ("1.jpg", "2.jpg"):
        chain = [i for i, group in enumerate(groups) if samples[group[0]][0] == shown and samples[group[0]][2]]
        for one, after in pairwise(chain):
            assert lengths[one] + samples[groups[after][0]][1] + TEMPLATE > max_tokens


def test_a_packed_record_fits_into_the_context(tmp_path):
    """Hundreds of questions about one image make records that the trainer cuts nothing of, template and all."""
    turns = [[{"from": "human", "value": f"<image>\nA {i}?"}, {"from": "gpt", "value": "Yes."}] for i in range(700)]
    (tmp_path / "many.json").write_text(json.dumps([{"id": "a", "image": "a.jpg", "conversations": t} for t in turns]))
    pool = read_pool(tmp_path / "many.json", format="llava")
    write_llava(pool, range(len(pool)), tmp_path / "mix.json", pack=True)
    assert len(json.loads((tmp_path / "mix.json").read_text())) < 20
    assert [each.code for each in check_mix(tmp_path / "mix.json")] == of_ids(tmp_path / "mix.json")
