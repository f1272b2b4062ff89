"""Laws of every reader, and of readers together."""

from __future__ import annotations

import json
import tempfile
from copy import deepcopy
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzzers.packed import plain
from fuzzers.shapes import KEYS, PNG, RATED, RECORDS, chat, talk
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import MARKUP, good_sample, json_values

from recipe import read_pool
from recipe.config.registry import find, home, names
from recipe.data.signatures import hash_of
from recipe.engine import running
from recipe.stages import read
from recipe.stages.read import Context, Entry, Images
from recipe.stages.read._containers.pictures import picture_bytes

OBJECTS = [one for many in RECORDS.values() for one in many if isinstance(one, dict)]
ANY = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), json_values, max_size=5)
CONTEXT = Context(Path("referring_qa.json"), "square", 0, Images(None, None))


@st.composite
def twisted(draw):
    """Draw a sound record of any format in which a few values are any others."""
    record = json.loads(json.dumps(draw(st.sampled_from(OBJECTS)), default=plain))
    for key in draw(st.lists(st.sampled_from(sorted(record)), max_size=2)):
        record[key] = draw(json_values)
    return record | draw(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=2))


RECORD = st.one_of(ANY, twisted(), good_sample())


@settings(max_examples=60)
@given(record=RECORD)
def test_any_object_is_read_or_refused(read_name, record):
    """Whatever an object holds, a reader makes one entry or more of it, the same again, and leaves it as it was."""
    before = deepcopy(record)
    entries = list(find("read", read_name)(record, CONTEXT))
    assert entries
    assert all(isinstance(entry, Entry) for entry in entries)
    assert all(entry.problem or entry.turns for entry in entries)
    assert record == before
    assert list(find("read", read_name)(record, CONTEXT)) == entries


@settings(max_examples=60)
@given(record=RECORD)
def test_confidence_is_a_share(read_name, record):
    """How sure a reader is of any object is a number from 0 to 1, and it does not change the object."""
    reader = home("read", read_name)
    if not hasattr(reader, "confidence"):
        pytest.skip("a function alone reads the files that name it")
    before = deepcopy(record)
    assert 0 <= reader.confidence(record) <= 1
    assert record == before


@pytest.mark.parametrize("name", names("read"))
def test_nobody_is_sure_of_nothing(name):
    """No reader claims an object without keys, or with keys that no format has."""
    assert home("read", name).confidence({}) == home("read", name).confidence({"question": "Who?"}) == 0


def sound_keys(file, records):
    """The keys of the sound samples of some records in one file of JSON."""
    file.write_text(json.dumps(records, default=plain))
    rows = read_pool(file).rows
    return set(rows.filter(rows["problem"].is_null())["key"])


@cache
def keys_alone(dialect, number):
    """The keys of the sound samples of one record, read by itself."""
    with tempfile.TemporaryDirectory() as folder:
        return sound_keys(Path(folder, "pool.json"), [RECORDS[dialect][number]])


@settings(max_examples=80)
@given(host=st.sampled_from(sorted(RECORDS)), guest=st.sampled_from(sorted(RECORDS)), draw=st.data())
def test_a_record_among_others(host, guest, draw):
    """A record of one format among those of another is read as it is alone, and so are all the others, at any place."""
    number = draw.draw(st.integers(0, len(RECORDS[guest]) - 1), "record")
    numbers = draw.draw(st.lists(st.integers(0, len(RECORDS[host]) - 1), min_size=1, max_size=70), "others")
    at = draw.draw(st.integers(0, len(numbers)), "place")
    records = [RECORDS[host][one] for one in numbers]
    records.insert(at, RECORDS[guest][number])
    expected = set.union(keys_alone(guest, number), *(keys_alone(host, one) for one in numbers))
    with tempfile.TemporaryDirectory() as folder:
        assert sound_keys(Path(folder, "pool.json"), records) == expected


def png(text):
    """Another picture for each text."""
    return {"bytes": PNG + text.encode(), "path": "a.png"}


def asked(question, shown):
    """A question with its mark, if there is a picture."""
    return f"<image>\n{question}" if shown else question


TABLES = {  # records with the same keys, as a table has them: of a question, an answer, whether there is a picture
    "llava": lambda q, a, shown: {
        "id": q,
        "image": "a.jpg" if shown else None,
        "conversations": talk(asked(q, shown), a),
    },
    "llava_bytes": lambda q, a, shown: {
        "id": a,
        "image": png(a + q) if shown else None,
        "conversations": talk(asked(q, shown), a),
        "data_source": "toy",
    },
    "messages": lambda q, a, shown: {"messages": chat(q, a), "images": ["a.jpg", "b.jpg"] if shown else []},
    "cauldron": lambda q, a, shown: {
        "images": [png(q), png(a)] if shown else [],
        "texts": [{"user": q, "assistant": a}, {"user": a, "assistant": q}],
        **{f"{name}_ratings": [5, None] for name in RATED},
    },
    "alpaca": lambda q, a, shown: {"instruction": q, "input": "", "output": a, "images": ["a.jpg"] if shown else []},
    "swift": lambda q, a, shown: {"query": q, "response": a, "history": [[a, q]], "images": ["a.jpg"] if shown else []},
    "qa": lambda q, a, shown: {"question": q, "answer": a, "image_id": 92, "id": 7 if shown else None},
    "captions": lambda q, a, shown: {"image": "a.jpg", "caption": [q, a], "split": "val" if shown else None},
    "vision_flan": lambda q, a, shown: {
        "id": q,
        "image": "a.jpg" if shown else None,
        "conversations": talk(asked(q, shown), a),
        "task_name": "b",
    },
}
said = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [*MARKUP, "<image>\nWho?", "No."]
)
SAMPLES = st.lists(st.tuples(said, said, st.booleans()), min_size=1, max_size=8)


def written(folder, records):
    """The same records in every container."""
    table = pa.Table.from_pylist(records)
    text = [json.dumps(record, default=plain) for record in records]
    (folder / "pool.json").write_text(f"[{', '.join(text)}]")
    (folder / "pool.jsonl").write_text("\n".join(text))
    pq.write_table(table, folder / "pool.parquet", row_group_size=3)
    for name, make in {"pool.arrow": pa.ipc.new_stream, "pool.feather": pa.ipc.new_file}.items():
        with make(folder / name, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
    return [folder / f"pool.{ending}" for ending in ("json", "jsonl", "parquet", "arrow", "feather")]


def rows_of(file):
    """The rows of a file without what differs with its container: its name, and where pictures lie."""
    pool = read_pool(file)
    media = [
        None if many is None else [{**one, "place": None} for one in many] for many in pool.rows["media"].to_list()
    ]
    for many in pool.rows["media"].drop_nulls().to_list():
        lying = [one for one in many if one["place"]]
        for one, content in zip(lying, picture_bytes(file, [one["place"] for one in lying]), strict=True):
            assert hash_of([content]) == one["hash"]
    rows = pool.rows.drop("source", "media", "row").to_dicts()
    rows = [row if row["problem"] is None else {**row, "key": None, "id": None} for row in rows]  # hashes of what came
    return sorted(({**row, "media": own} for row, own in zip(rows, media, strict=True)), key=lambda row: row["record"])


@pytest.mark.parametrize("form", TABLES)
@settings(max_examples=15)
@given(samples=SAMPLES)
def test_one_table_in_every_container(form, samples):
    """The same records as JSON, JSON Lines, Parquet and Arrow give the same rows, and the same pictures at theirs."""
    records = [TABLES[form](*sample) for sample in samples]
    with tempfile.TemporaryDirectory() as folder:
        expected, *others = map(rows_of, written(Path(folder), records))
        assert len(expected) >= len(records)
        for found in others:
            assert found == expected


def test_the_key_of_a_rejected_record(tmp_path):
    """A rejected record has the same key wherever in its file it lies, though its picture lies elsewhere then."""
    records = [TABLES["cauldron"](f"Who is {n}?", "<image>", True) for n in range(7)]
    keys = []
    for order in (records, records[::-1]):
        pq.write_table(pa.Table.from_pylist(order), tmp_path / "pool.parquet")
        rows = read_pool(tmp_path / "pool.parquet").rows
        assert rows["problem"].str.starts_with("marks").all()
        keys.append(rows["key"].to_list())
    assert keys[0] == keys[1]


@pytest.mark.parametrize("form", TABLES)
def test_pieces_are_the_whole(form, tmp_path, monkeypatch):
    """A file that is read in pieces on disk has the rows of one that is read at once, and pictures at their places."""
    records = [TABLES[form](f"Who is {n}?", f"He is {n}.", n % 3 > 0) for n in range(40)]
    files = written(tmp_path, records)
    whole = [rows_of(file) for file in files]
    monkeypatch.setattr(read, "IN_MEMORY", -1)
    monkeypatch.setattr("recipe.stages.read._shards.PIECE", 500)
    for file, expected in zip(files, whole, strict=True):
        with running("serial"):
            assert rows_of(file) == expected
