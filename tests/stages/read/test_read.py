"""Laws, oracles and examples of reading."""

import gc
import gzip
import json
import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipe.data.pool import SCHEMA
from recipe.data.problems import PROBLEMS, code_of
from recipe.errors import ConfigError, InputError, RecipeError
from recipe.stages.read import Entry, Images, read_pool
from recipe.stages.read._entry import in_front, key_of
from recipe.stages.read.svit import SUFFIXES

DATA = Path(os.environ.get("RECIPE_DATA", Path(__file__).parents[4] / "shared" / "data"))
QUIRKS = sorted(DATA.glob("quirks/*")) if DATA.is_dir() else []
needs_data = pytest.mark.skipif(not QUIRKS, reason="the real data are not here; set RECIPE_DATA to their folder")
many_files = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXTS = st.lists(st.sampled_from(["<image>", "\n", " ", "cat", "?", "<im", "age>", "é"]), max_size=6).map("".join)
TURNS = st.lists(st.tuples(st.sampled_from(["human", "gpt"]), TEXTS), min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text("ab\u00e9", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def llava_records(draw):
    """Draw a sound LLaVA record: with or without image and id, and with keys of its own."""
    turns = [{"from": who, "value": text} for who, text in draw(TURNS)]
    if draw(st.booleans()):
        turns[0]["weight"] = draw(VALUES)
    record = {"conversations": turns}
    if draw(st.booleans()):
        record["id"] = draw(st.sampled_from(["a", "b", "", 7, 2**70, 1.5, None, [1]]))
    if draw(st.booleans()):
        record["image"] = draw(st.sampled_from(["a.jpg", "b.jpg"]))
    return record | draw(st.dictionaries(st.sampled_from(["model", "task_name", "n"]), VALUES, max_size=2))


def qa(question="What is it?", answer="A jay.", **keys):
    """Make a LLaVA record of one question and its answer."""
    return {"conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}], **keys}


def talk(question, answer, **keys):
    """Make one conversation of a SVIT item."""
    return {"content": [{"from": "user", "value": question}, {"from": "gpt", "value": answer}], **keys}


def save(folder, content, name="mix.json"):
    """Write JSON under a name."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def read(folder, content, name="mix.json", **options):
    """Read JSON and return its rows in the order of the file."""
    return read_pool(save(folder, content, name), **options).rows.sort("order").to_dicts()


def turns_of(row):
    """Return the turns of a row as pairs."""
    return [(turn["from"], turn["value"]) for turn in row["turns"]]


def written(row):
    """Write a row as a LLaVA record, as a writer would that merges `extra` back."""
    extra = json.loads(row["extra"] or "{}")
    others = extra.pop("conversations", [{} for _ in row["turns"]])
    record = {"id": row["id"]} | ({"image": row["image"]} if row["image"] else {}) | extra
    return record | {"conversations": [turn | other for turn, other in zip(row["turns"], others, strict=True)]}


# the pool


def test_a_llava_record_by_hand(tmp_path):
    """A record becomes a row with every column of the schema as documented."""
    record = qa("Who is\nit?\n<image>", "A jay, 2 m.", id="a", image="x/a.jpg", model="")
    (row,) = read(tmp_path, [record])
    turns = [("human", "<image>\nWho is\nit?"), ("gpt", "A jay, 2 m.")]
    assert turns_of(row) == turns
    del row["turns"]
    # tokens: 1.25 for each of who is it A jay m; one for each of ? , 2 .
    assert row == {
        "row": 0,
        "key": key_of("x/a.jpg", turns),
        "id": "a",
        "source": "mix.json",
        "record": 0,
        "order": 0,
        "image": "x/a.jpg",
        "media": None,
        "frame": None,
        "ratings": None,
        "noted": None,
        "extra": '{"model":""}',
        "task_name": None,
        "n_words": 7,
        "n_tokens": 12,
        "problem": None,
    }


def test_other_letters_count_as_a_token_and_a_half(tmp_path):
    """Two Chinese letters and one é are 3 x 1.5 tokens, rounded up to 5 with no other word."""
    (row,) = read(tmp_path, [qa("\u4f60\u597d", "\u00e9")])
    assert (row["n_words"], row["n_tokens"]) == (2, 5)


def test_the_table_has_the_schema_of_a_pool(tmp_path):
    """Columns and types are the pool's, also where nothing was read."""
    for content in ([], [qa()]):
        assert dict(read_pool(save(tmp_path, content)).rows.schema) == SCHEMA


@many_files
@given(st.lists(llava_records(), min_size=1, max_size=6), st.randoms(), st.sampled_from(["front", "given"]))
def test_the_order_of_files_and_records_changes_nothing(tmp_path, records, random, image_token):
    """Shuffled records, and files named in another order, give the same rows but for `record` and `order`."""
    half = len(records) // 2
    parts = [records[:half], records[half:]]
    one = [save(tmp_path, part, f"{i}.json") for i, part in enumerate(parts)]
    pool = read_pool(one, format="llava", image_token=image_token).rows.drop("record", "order")
    for part in parts:
        random.shuffle(part)
    other = [save(tmp_path, part, f"{i}.json") for i, part in enumerate(parts)][::-1]
    assert read_pool(other, format="llava", image_token=image_token).rows.drop("record", "order").equals(pool)


@pytest.mark.parametrize(
    "duplicates",
    [
        [qa(id="a", model="x"), qa(id="a", model="y")],
        [qa("Who?\n<image>", id="a", image="a.jpg"), qa("<image>Who?", id="a", image="a.jpg")],
    ],
)
def test_duplicates_have_a_fixed_order(tmp_path, duplicates):
    """Two samples of one key and id that differ in their other keys, or in where `<image>` was, do not swap rows."""
    pools = [read_pool(save(tmp_path, order), image_token="given").rows for order in (duplicates, duplicates[::-1])]
    assert pools[0]["key"].n_unique() == 1
    assert pools[0].drop("record", "order").equals(pools[1].drop("record", "order"))


@many_files
@given(st.lists(llava_records() | VALUES, max_size=6))
def test_nothing_is_lost(tmp_path, entries):
    """Every entry is a row under its number, and a sound record can be put together again from its row."""
    rows = read(tmp_path, entries, format="llava")
    assert [row["record"] for row in rows] == list(range(len(entries)))
    for entry, row in zip(entries, rows, strict=True):
        if row["problem"] is not None:
            assert code_of(row["problem"]) in PROBLEMS
            assert not (isinstance(entry, dict) and "conversations" in entry)
            continue
        turns = [(turn["from"], turn["value"]) for turn in entry["conversations"]]
        texts = [text for _, text in (in_front(turns) if "image" in entry else turns)]
        moved = [turn | {"value": text} for turn, text in zip(entry["conversations"], texts, strict=True)]
        named = {"id": row["key"] if entry.get("id", "") == "" else entry["id"]}
        assert written(row) == entry | named | {"conversations": moved}


@many_files
@given(st.lists(llava_records(), min_size=1, max_size=5), st.sampled_from(["front", "given"]))
def test_a_pool_survives_write_and_read(tmp_path, records, image_token):
    """What is written from a pool and read again is that pool, keys and all, wherever `<image>` was left."""
    first = save(tmp_path, records)
    rows = read_pool(first, format="llava", image_token=image_token).rows.to_dicts()
    again = read_pool(save(tmp_path, [written(row) for row in rows], "again.json"), format="llava").rows
    assert again.drop("source", "record", "order").equals(
        read_pool(first, format="llava").rows.drop("source", "record", "order")
    )
    assert again["key"].to_list() == [row["key"] for row in rows]


# <image>


@given(TURNS)
def test_the_mark_is_put_in_front_once(turns):
    """Moving `<image>` twice is moving it once; it then stands once, in the first question; answers stay."""
    moved = in_front(turns)
    assert in_front(moved) == moved
    assert [t for t in moved if t[0] == "gpt"] == [t for t in turns if t[0] == "gpt"]
    questions = [text for who, text in moved if who == "human"]
    assert [text.count("<image>") for text in questions] == [1] * bool(questions) + [0] * (len(questions) - 1)
    assert all(text.startswith("<image>\n") for text in questions[:1])


@pytest.mark.parametrize(
    ("given_text", "front"),
    [
        ("<image>\n  Who? ", "<image>\n  Who? "),
        ("Who?\n<image>", "<image>\nWho?"),
        ("<image>Who?", "<image>\nWho?"),
        ("Who <image> is it?", "<image>\nWho  is it?"),
        ("<image>\nWho?\n<image>", "<image>\nWho?"),
        (" Who? ", "<image>\n Who? "),
    ],
)
def test_the_mark_by_hand(tmp_path, given_text, front):
    """A question in LLaVA's form stays byte for byte; otherwise its mark is moved as by LLaVA's loader."""
    (row,) = read(tmp_path, [qa(given_text, image="a.jpg")])
    assert turns_of(row)[0] == ("human", front)


@pytest.mark.parametrize("question", ["Who?\n<image>", "<image>\nWho?", "Who <image>?"])
def test_a_harmless_mark_may_stay(tmp_path, question):
    """`image_token="given"` keeps a mark that stands once in the first question, and the key is that of the front."""
    (row,) = read(tmp_path, [qa(question, image="a.jpg")], image_token="given")
    assert turns_of(row)[0] == ("human", question)
    assert row["key"] == read(tmp_path, [qa(question, image="a.jpg")])[0]["key"]


@pytest.mark.parametrize("question", ["Who?", "<image>\nWho?\n<image>"])
def test_a_mark_that_does_harm_never_stays(tmp_path, question):
    """A missing or a repeated mark is corrected under `given` too."""
    (row,) = read(tmp_path, [qa(question, image="a.jpg")], image_token="given")
    assert turns_of(row)[0] == ("human", "<image>\nWho?")


def test_text_without_an_image_is_not_touched(tmp_path):
    """A record without an image keeps its text, even a stray mark."""
    (row,) = read(tmp_path, [qa("Who? <image> ")])
    assert turns_of(row)[0] == ("human", "Who? <image> ")


# what is wrong with an entry


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (None, "not_a_record"),
        (7, "not_a_record"),
        ([qa(), 7], "not_a_record"),
        ([{"text": "Who?"}], "not_a_record"),
        ({}, "L05"),
        ({"conversations": None}, "L05"),
        ({"conversations": "Who?"}, "L05"),
        ({"conversations": ["Who?"]}, "L05"),
        ({"conversations": []}, "L09"),
        (qa(answer=7), "L05"),
        (qa(answer=None), "L05"),
        ({"conversations": [{"from": "tool", "value": "Who?"}]}, "L10"),
        ({"conversations": [{"value": "Who?"}]}, "L10"),
        ({"conversations": [{"from": ["human"], "value": "Who?"}]}, "L10"),
        (qa("\ud83d"), "L12"),
        (qa(image="\ude00.jpg"), "L12"),
        (qa("<image>\nWho?", image=None), "L07"),
        (qa("<image>\nWho?", image=""), "L07"),
        (qa(image=7), "L07"),
        (qa("<image>\nWho?", image=[]), "L07"),
        (qa(image={"bytes": None, "path": "a.jpg"}), "L07"),
        (qa("<image>\nWho?", image=["a.jpg", "b.jpg"]), "marks:2 of image, 1 in the text"),
        ({"conversations": float("nan")}, "L05"),
    ],
)
def test_a_bad_entry_is_a_row_that_says_why(tmp_path, entry, problem):
    """A broken entry keeps its place among valid ones, with its problem, and has the key of no sample."""
    rows = read(tmp_path, [qa(id="a"), entry, qa(id="b")])
    assert [row["problem"] for row in rows] == [None, problem, None]
    assert rows[1]["key"] != rows[0]["key"]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ('{"id": 1e999}', "1e999 is beyond the range of a float"),
        ('{"deep": ' + "[" * 5000 + "]" * 5000 + "}", "brackets nested deeper than the limit of 100"),
        ('{"n": ' + "9" * 5000 + "}", "an integer of more digits than Python converts"),
    ],
)
def test_a_record_that_cannot_be_held_is_marked_alone(tmp_path, record, why):
    """A number beyond a float, brackets beyond any depth and 5,000 digits lose one record, not the file or the run."""
    path = tmp_path / "mix.json"
    path.write_text(f"[{json.dumps(qa())}, {record}, {json.dumps(qa(id='b'))}]")
    assert read_pool(path).rows.sort("record")["problem"].to_list() == [None, f"bad_json:{why}", None]


def test_a_list_of_one_image_is_that_image(tmp_path):
    """An image in a list of its own is read as the image."""
    (row,) = read(tmp_path, [qa(image=["a.jpg"])])
    assert (row["image"], row["problem"]) == ("a.jpg", None)


@pytest.mark.parametrize(("given_id", "text"), [("a", "a"), (7, "7"), (1.5, "1.5"), (2**70, str(2**70)), ([1], "[1]")])
def test_ids_become_strings_and_are_kept(tmp_path, given_id, text):
    """An id is a string in the pool; one of another type is kept as it was in `extra`."""
    (row,) = read(tmp_path, [qa(id=given_id)])
    assert row["id"] == text
    assert row["extra"] is None if isinstance(given_id, str) else json.loads(row["extra"]) == {"id": given_id}


@pytest.mark.parametrize("keys", [{}, {"id": None}, {"id": ""}])
def test_without_an_id_the_key_is_the_id(tmp_path, keys):
    """A record without an id gets its key as id, which does not depend on its place in the file."""
    (row,) = read(tmp_path, [qa(**keys)])
    assert row["id"] == row["key"]


# containers

RECORDS = [qa(id="a"), qa("Why?", id="b"), qa("Caf\u00e9?", id="c")]
LINES = "\n".join(json.dumps(record) for record in RECORDS)
ARRAY = json.dumps(RECORDS, ensure_ascii=False)


@pytest.mark.parametrize(
    "data",
    [
        ARRAY.encode(),
        b" \n" + json.dumps(RECORDS, indent=2).encode() + b"\n ",
        LINES.encode(),
        LINES.replace("\n", "\r\n\n").encode() + b"\n\n",
        "".join(json.dumps(record, indent=1) for record in RECORDS).encode(),
        json.dumps({"version": 1, "data": RECORDS}).encode(),
        json.dumps({"annotations": RECORDS, "info": {}}).encode(),
        json.dumps({record["id"]: {"conversations": record["conversations"]} for record in RECORDS}).encode(),
        json.dumps({str(i): record for i, record in enumerate(RECORDS)}).encode(),
        gzip.compress(ARRAY.encode(), mtime=0),
        gzip.compress(LINES.encode(), mtime=0),
        ARRAY.encode("utf-8-sig"),
        ARRAY.encode("utf-16"),
        ARRAY.encode("utf-32"),
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_every_container_holds_the_same_pool(tmp_path, data, name):
    """Array, lines, wrapped, keyed by id, packed and marked files give the same ids and keys, whatever their name."""
    (tmp_path / name).write_bytes(data)
    rows = read_pool(tmp_path / name).rows.sort("record")
    assert rows["id"].to_list() == ["a", "b", "c"]
    assert rows["key"].to_list() == [
        key_of(None, [(t["from"], t["value"]) for t in r["conversations"]]) for r in RECORDS
    ]


@pytest.mark.parametrize("around", ["[%s]", "%s", '{"data": [%s]}', '{"a": %s}', '{"n": 1, "data": [%s], "m": {}}'])
def test_a_broken_value_is_found_in_every_container(tmp_path, around):
    """A number beyond a float marks its record whether the file is an array, one record, wrapped, or keyed by id."""
    (tmp_path / "x.json").write_text(around % json.dumps(qa(score=7)).replace("7", "1e999"))
    assert read_pool(tmp_path / "x.json", format="llava").rows["problem"].to_list() == [
        "bad_json:1e999 is beyond the range of a float"
    ]


@pytest.mark.parametrize("around", ["[%s]", "%s", '{"data": [%s]}', '{"a": %s}', '{"n": 1, "data": [%s], "m": {}}'])
def test_nan_costs_nothing_in_every_container(tmp_path, around):
    """NaN in a key that nobody reads is null, whether the file is an array, one record, wrapped, or keyed by id."""
    (tmp_path / "x.json").write_text(around % json.dumps(qa(score=float("nan"))))
    (row,) = read_pool(tmp_path / "x.json", format="llava").rows.to_dicts()
    assert row["problem"] is None
    assert json.loads(row["extra"])["score"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        (" \n\t", "empty file"),
        ("null", "line 1, column 1"),
        ('[{"a": 1}, {"b": 2},]', "a comma after the last record, 1"),
        ('[{"a": 1}]\n{}', "line 2, column 1"),
        ('[{"a": 1} {"b": 2}]', "no comma or closing bracket after record 0"),
        ('[{"a": 1}, {"b": "cut', "record 1"),
        ('[{"a": 1}, {"b": 2}', "no comma or closing bracket after record 1"),
        ('{"a": 1}\n{"b": "cut\n{"c": 3}', "line 2"),
        ('[{"a": 1}, {"b": tru}]', "record 1"),
        ("[" + "[" * 5000 + "]" * 4000, "never closed"),
        (b'["caf\xe9"]', "byte 5"),
        (b"\xff\xfe[", "utf-16"),
        (gzip.compress(ARRAY.encode(), mtime=0)[:40], "cannot be read"),
        ('[{"question": "Who?"}]', "'question'"),
        ('[["Who?"]]', "1 entries without keys"),
    ],
)
def test_a_file_that_is_not_json_of_records_says_where(tmp_path, text, message):
    """One line names the file, the position and the problem."""
    path = tmp_path / "x.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message) as caught:
        read_pool(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_may_hold_an_empty_array(tmp_path):
    """A shard without records gives no rows and stops nothing."""
    save(tmp_path, [], "0.json")
    save(tmp_path, [qa()], "1.json")
    assert read_pool(tmp_path).rows["source"].to_list() == ["1.json"]


# options


def test_unknown_options_are_refused(tmp_path):
    """An unknown format, box mode or mark mode, and a missing image folder raise and name what came."""
    path = save(tmp_path, [qa()])
    for option, value in [("format", "lava"), ("boxes", "round"), ("image_token", "back")]:
        with pytest.raises(ConfigError, match=value):
            read_pool(path, **{option: value})
    with pytest.raises(InputError, match="gone"):
        read_pool(path, images=tmp_path / "gone")


def test_a_callable_is_a_format(tmp_path):
    """A function may be given instead of the name of a format."""
    (row,) = read(tmp_path, [{"q": "Who?"}], format=lambda record, _: [Entry([("human", record["q"])])])
    assert turns_of(row) == [("human", "Who?")]


def test_a_source_may_name_its_format_and_itself(tmp_path):
    """A mapping's format takes precedence over the call's, and its name becomes the source."""
    path = save(tmp_path, [{"image_id": "1", "caption": "A jay."}])
    rows = read_pool({"path": path, "name": "mine", "format": "minigpt4"}, format="llava").rows
    assert rows.select("source", "image").rows() == [("mine", "1.jpg")]


def test_the_collector_is_as_it_was(tmp_path):
    """The garbage collector runs again after reading, and after an error; one that was off stays off."""
    good, bad = save(tmp_path, [qa()], "good.json"), save(tmp_path, [{}], "bad.json")
    read_pool(good)
    with pytest.raises(InputError):
        read_pool(bad)
    assert gc.isenabled()
    gc.disable()
    try:
        read_pool(good)
        assert not gc.isenabled()
    finally:
        gc.enable()


# Vision-Flan and MiniGPT-4


def test_vision_flan_keeps_the_task_name(tmp_path):
    """A task name is a column and is written back; one that is no text is only written back."""
    rows = read(tmp_path, [qa(id="a", task_name="birds+species"), qa(id="b", task_name=["x"]), qa(id="c")])
    assert [row["task_name"] for row in rows] == ["birds+species", None, None]
    assert [row["extra"] for row in rows] == ['{"task_name":"birds+species"}', '{"task_name":["x"]}', None]


def test_minigpt4_captions_are_descriptions(tmp_path):
    """A caption becomes the answer to the fixed question about `<image_id>.jpg`; one without text is marked."""
    rows = read(tmp_path, {"annotations": [{"image_id": "2", "caption": "A jay."}, {"image_id": 3, "caption": None}]})
    assert turns_of(rows[0]) == [("human", "<image>\nDescribe this image in detail."), ("gpt", "A jay.")]
    assert (rows[0]["image"], rows[0]["task_name"], rows[0]["id"]) == ("2.jpg", "detail_description", "minigpt4_2")
    assert rows[1]["problem"] == "L05"


# SVIT


def test_a_svit_item_gives_a_sample_for_each_conversation(tmp_path):
    """Speakers, ids, paths and topics are as documented, and the rows are numbered through the file."""
    items = [{"image_id": 7, "conversations": [talk("Who?", "A.", topic="t"), talk("Why?", "B.", topic=[1])]}]
    items += [{"image_id": 8, "conversations": [talk("How?", "C.", source={"x": 1})], "split": "a"}]
    data = [{"image_id": 7, "url": "https://x/VG_100K_2/7.jpg", "width": 4, "height": 2}]
    rows = read(tmp_path, items, "conversation.json", image_data=save(tmp_path, data, "side.json"))
    assert [turns_of(row)[0] for row in rows] == [("human", f"<image>\n{w}?") for w in ("Who", "Why", "How")]
    assert [row["id"] for row in rows] == [f"svit_conversation_{i}" for i in ("7_0", "7_1", "8_0")]
    assert [row["image"] for row in rows] == ["vg/VG_100K_2/7.jpg", "vg/VG_100K_2/7.jpg", "vg/8.jpg"]
    assert [json.loads(row["extra"]) for row in rows] == [
        {"topic": "t"},
        {"topic": [1]},
        {"item": {"split": "a", "source": {"x": 1}}},
    ]
    assert [row["record"] for row in rows] == [0, 1, 2]
    assert {row["task_name"] for row in rows} == {"conversation"}


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("SVIT_referring_qa.json", "referring_qa"),
        ("detail_description_1.json", "detail_description"),
        ("complex_reasoning.json", "complex_reasoning"),
        ("conversation.json", "conversation"),
    ],
)
def test_the_file_name_gives_the_task(tmp_path, name, task):
    """A file with a task in its name has that task, whatever its samples look like."""
    (row,) = read(tmp_path, [{"image_id": 7, "conversations": [talk("Who?", "A.")]}], name)
    assert row["task_name"] == task


@pytest.mark.parametrize(
    ("conversation", "task"),
    [
        (talk("Where is <st>it<ed>?", "There."), "referring_qa"),
        (talk("Where is it?", "At [0, 0, 0.5, 1]."), "referring_qa"),
        ({"content": [{"from": who, "value": "Hm."} for who in ("user", "gpt") * 2]}, "conversation"),
        (talk("Please describe the image in full.", "A jay."), "detail_description"),
        (talk("How would you explain the image to a child?", "word " * 60), "detail_description"),
        (talk("How would you explain the image to a child?", "word " * 59), "complex_reasoning"),
        (talk("Why does the bird sing?", "word " * 99), "complex_reasoning"),
    ],
)
def test_the_shape_gives_the_task_where_the_name_does_not(tmp_path, conversation, task):
    """The task follows from boxes, the number of turns, the request and the length of the answer."""
    (row,) = read(tmp_path, [{"image_id": 7, "conversations": [conversation]}], "part-00.json", boxes="keep")
    assert row["task_name"] == task


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"image_id": 7}, "L05"),
        ({"image_id": 7, "conversations": None}, "L05"),
        ({"image_id": 7, "conversations": []}, "L09"),
        ({"image_id": 7, "conversations": [{"content": []}]}, "L09"),
        ({"image_id": 7, "conversations": [{"topic": "t"}]}, "L05"),
        ({"image_id": 7, "conversations": ["t"]}, "not_a_record"),
        ({"image_id": -1, "conversations": [talk("Who?", "A.")]}, "L07"),
        ({"image_id": None, "conversations": [talk("Who?", "A.")]}, "L07"),
        ({"conversations": [talk("Who?", "A.")]}, "L07"),
        ({"image_id": 7, "conversations": [{"content": [{"from": "assistant", "value": "A."}]}]}, "L10"),
        ({"image_id": 7, "conversations": [talk("Where?", "[0, 0, 0.5, 1]")]}, "no_image_size"),
        ({"image_id": 7, "conversations": [talk("Where?", "[0.5, 0, 0, 1]")]}, "bad_box:reversed"),
    ],
)
def test_a_bad_svit_entry_is_a_row_that_says_why(tmp_path, item, problem):
    """An item or a conversation that is no sample is one row with its problem."""
    (row,) = read(tmp_path, [item], "referring_qa.json", format="svit")
    assert row["problem"] == problem


@pytest.mark.parametrize("image_id", [7, "7", "0007", "7.jpg", 7.0])
def test_an_image_id_is_a_number_however_it_is_written(tmp_path, image_id):
    """Ids of other types name the same image and are kept in `extra`."""
    (row,) = read(tmp_path, [{"image_id": image_id, "conversations": [talk("Who?", "A.")]}], "conversation.json")
    assert (row["image"], row["id"]) == ("vg/7.jpg", "svit_conversation_7_0")
    assert (
        row["extra"] is None
        if image_id == 7 and isinstance(image_id, int)
        else json.loads(row["extra"]) == {"item": {"image_id": image_id}}
    )


def test_a_referring_sample_by_hand(tmp_path):
    """On 800 x 400 the pad is 200 pixels: y of 0.25 is (100 + 200) / 800 = 0.375; marks go and a sentence is added."""
    save(tmp_path, [{"image_id": 7, "url": "https://x/VG_100K/7.jpg", "width": 800, "height": 400}], "image_data.json")
    item = {
        "image_id": 7,
        "conversations": [talk("Is the <st>cat<ed> [0, 0.25, 0.5, 1] big?", "No [0, 0.25, 0.5, 1].")],
    }
    (row,) = read(tmp_path, [item], "referring_qa.json")
    (_, question), (_, answer) = turns_of(row)
    text, _, suffix = question.partition("? ")
    assert text == "<image>\nIs the cat [0, 0.375, 0.5, 0.75] big"
    assert suffix in SUFFIXES
    assert answer == "No [0, 0.375, 0.5, 0.75]."
    assert row["image"] == "vg/VG_100K/7.jpg"


def test_a_sample_without_a_box_needs_no_size(tmp_path):
    """A referring sample whose question and answer have no box is sound without a size."""
    (row,) = read(
        tmp_path, [{"image_id": 7, "conversations": [talk("Is it <st>big<ed>?", "No.")]}], "referring_qa.json"
    )
    assert row["problem"] is None


def test_marks_show_boxes_in_other_tasks(tmp_path):
    """In the other tasks a bracket is text unless it is next to SVIT's marks."""
    talks = [talk("Who?", "See [3]."), talk("Who?", "The <st>cat<ed> [3].")]
    rows = read(tmp_path, [{"image_id": 7, "conversations": talks}], "conversation.json")
    assert [row["problem"] for row in rows] == [None, "bad_box:malformed"]


def test_the_suffix_belongs_to_the_sample(tmp_path):
    """The drawn sentence depends on sample and seed, not on the place in the file; each of three is drawn as often."""
    items = [{"image_id": i, "conversations": [talk("Is it big?", "No.")]} for i in range(600)]
    texts = {row["image"]: turns_of(row)[0][1] for row in read(tmp_path, items, "referring_qa.json")}
    assert {r["image"]: turns_of(r)[0][1] for r in read(tmp_path, items[::-1], "referring_qa.json")} == texts
    assert {r["image"]: turns_of(r)[0][1] for r in read(tmp_path, items, "referring_qa.json", suffix_seed=1)} != texts
    for suffix in SUFFIXES:
        assert 150 <= sum(text.endswith(f"big? {suffix}") for text in texts.values()) <= 250


# images


def png(width, height):
    """Make the first bytes of a PNG."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02\x00\x00\x00"


def turned_jpeg(width, height):
    """Make the first bytes of a JPEG whose EXIF data ask to turn it by 90 degrees."""
    tiff = b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\x00\x00" + tiff
    frame = struct.pack(">HHBHHB", 0xFFC0, 17, 8, height, width, 3) + b"\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + frame + b"\xff\xd9"


def test_sizes_come_from_the_headers_of_images(tmp_path):
    """The size of the stored pixels is from the header of the file, and the path from the folder it is in."""
    for name, content in [
        ("vg/VG_100K_2/1.jpg", png(30, 20)),
        ("vg/VG_100K/2.jpg", turned_jpeg(40, 10)),
        ("3.jpg", b"no"),
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    images = Images(folder=tmp_path)
    paths = [images.path(i) for i in (1, 2, 3, 4)]
    assert paths == ["vg/VG_100K_2/1.jpg", "vg/VG_100K/2.jpg", "3.jpg", "vg/4.jpg"]
    assert [images.size(i, path) for i, path in zip((1, 2, 3, 4), paths, strict=True)] == [
        (30, 20),
        (40, 10),
        None,
        None,
    ]


def test_unusable_sizes_are_unknown(tmp_path):
    """A size that is no positive int, or that two items contradict, is unknown; string ids and repeats are read."""
    sizes = [(0, 5), (5, -1), ("5", 5), (None, 5), (True, 5), (5.0, 5)]
    items = [{"image_id": i, "width": w, "height": h} for i, (w, h) in enumerate(sizes)]
    items += [{"image_id": 10, "width": 4, "height": 3}] * 2
    items += [{"image_id": 11, "width": w, "height": h} for w, h in ((4, 3), (3, 4))]
    items += [{"image_id": "12", "width": 4, "height": 3, "url": 7}, None, {"width": 4}]
    for order in (items, items[::-1]):
        images = Images(image_data=save(tmp_path, order))
        assert [images.size(i, "") for i in (*range(6), 10, 11, 12)] == [None] * 6 + [(4, 3), None, (4, 3)]


def test_a_folder_that_two_urls_contradict_is_unknown(tmp_path):
    """An image that two items put into two folders, or another host's url into none, has no folder."""
    urls = {1: ["VG_100K", "VG_100K_2"], 2: ["VG_100K", "VG_100K"], 3: ["else"]}
    items = [{"image_id": i, "url": f"https://x/{folder}/{i}.jpg"} for i, folders in urls.items() for folder in folders]
    for order in (items, items[::-1]):
        images = Images(image_data=save(tmp_path, order))
        assert [images.path(i) for i in (1, 2, 3)] == ["vg/1.jpg", "vg/VG_100K/2.jpg", "vg/3.jpg"]


def test_image_data_of_another_kind_is_refused(tmp_path):
    """A file without a single item of the schema is named."""
    side = save(tmp_path, [{"id": 7}], "side.json")
    path = save(tmp_path, [{"image_id": 7, "conversations": [talk("Who?", "A.")]}])
    with pytest.raises(InputError, match=r"side\.json"):
        read_pool(path, image_data=side)


# real data


@needs_data
@pytest.mark.parametrize("path", QUIRKS, ids=lambda path: path.name)
def test_every_quirk_is_read_or_refused(path):
    """Each damaged file is read, its bad rows with known problems, or refused with one line that names it."""
    try:
        problems, message = read_pool(path).rows["problem"].drop_nulls(), f"{path.name}: read"
    except RecipeError as error:
        problems, message = [], str(error)
    assert path.name in message
    assert "\n" not in message
    assert {code_of(problem) for problem in problems} <= set(PROBLEMS)


@needs_data
@pytest.mark.parametrize("task", ["conversation", "complex_reasoning", "detail_description", "referring_qa"])
def test_every_conversation_of_real_svit_is_a_sound_row(tmp_path, task):
    """A naive count of the conversations is the number of rows, none has a problem, and the shape tells the task."""
    path = DATA / "svit" / f"{task}.json"
    (tmp_path / "unnamed.json").symlink_to(path)
    rows = read_pool(path).rows
    assert len(rows) == sum(len(item["conversations"]) for item in json.loads(path.read_bytes()))
    assert rows["problem"].null_count() == len(rows)
    assert set(rows["task_name"]) == {task}
    shapes = read_pool(tmp_path / "unnamed.json", image_data=path.with_name("image_data.json")).rows["task_name"]
    assert (shapes == task).mean() > 0.99


@needs_data
def test_real_svit_becomes_the_published_records():
    """The raw conversations of Visual Genome's image 1 become the turns of the records that SVIT published.

    The raw referring sample is not among the files: here its marks are put back into the published one. Its boxes were
    published in the frame of the original image, although SVIT's notes call them padded: 1.jpg is 800 x 600, so nothing
    on the padded square lies above y = 0.125, and the sign begins at 0.022. So they are compared under `boxes="keep"`;
    `square` is worked by hand above.
    """
    published = {r["id"].split("_")[1]: r for r in json.loads((DATA / "svit_real" / "llava_format.json").read_bytes())}
    for task, name in [
        ("conversation", "conversation"),
        ("detail_description", "detail"),
        ("complex_reasoning", "complex"),
    ]:
        rows = read_pool(DATA / "svit_real" / f"{task}.json", boxes="keep").rows.to_dicts()
        assert [turns_of(row) for row in rows if row["image"] == "vg/1.jpg"] == [turns_of(turned(published[name]))]


@needs_data
def test_a_real_referring_record_is_the_published_one(tmp_path):
    """With its marks put back the published referring record converts to itself, but for the drawn sentence."""
    published = json.loads((DATA / "svit_real" / "llava_format.json").read_bytes())[3]
    (_, question), (_, answer) = turns_of(turned(published))
    original = next(question.removesuffix(f" {suffix}") for suffix in SUFFIXES if question.endswith(suffix))

    def marked(text):
        for thing in ("clock", "sign"):
            text = text.replace(f"{thing} [", f"<st>{thing}<ed> [")
        return text.removeprefix("<image>\n")

    item = {"image_id": 1, "conversations": [talk(marked(original), marked(answer))]}
    (row,) = read(tmp_path, [item], "referring_qa.json", boxes="keep")
    (_, got_question), (_, got_answer) = turns_of(row)
    assert got_question.startswith(f"{original} ")
    assert got_question.removeprefix(f"{original} ") in SUFFIXES
    assert got_answer == answer


def turned(record):
    """Return a record under the name that rows use for its turns."""
    return {"turns": record["conversations"]}
