"""Records in the dress of any format, by hand: their turns, their pictures, their marks and their boxes."""

from __future__ import annotations

import base64
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.data.media import MARKS, Medium, below, media_of, spelled
from recipe.data.signatures import hash_of
from recipe.stages.read import read_pool
from recipe.stages.read._dialects.columns import by_usual_names
from recipe.stages.read._dialects.grounding import fill_objects, frame_of
from recipe.stages.read._dialects.marks import marked

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(99))
TEXT = base64.b64encode(PNG).decode()
Q, A = {"role": "user", "content": "Who?"}, {"role": "assistant", "content": "A jay."}
ASKED, SAID = {"from": "human", "value": "Who?"}, {"from": "gpt", "value": "A jay."}
HASH = f"{hash_of([PNG])}.png"


def talk(*blocks):
    """Return a user's turn of some blocks, and an answer."""
    return [{"role": "user", "content": [*blocks, {"type": "text", "text": "Who?"}]}, A]


ONE_PICTURE = {  # record -> the name of its picture
    "images": ({"conversations": [ASKED, SAID], "images": ["a.jpg"]}, "a.jpg"),
    "path in an object": ({"messages": [Q, A], "images": [{"path": "a.jpg"}]}, "a.jpg"),
    "bytes in an object": ({"messages": [Q, A], "images": [{"bytes": TEXT, "path": None}]}, HASH),
    "data URI": ({"messages": [Q, A], "images": [f"data:image/png;base64,{TEXT}"]}, HASH),
    "base64": ({"conversations": [ASKED, SAID], "image": TEXT}, HASH),
    "OpenAI": ({"messages": talk({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{TEXT}"}})}, HASH),
    "OpenAI's newer": ({"messages": talk({"type": "input_image", "image_url": "a.jpg"})}, "a.jpg"),
    "Anthropic": (
        {"messages": talk({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": TEXT}})},
        HASH,
    ),
    "TRL": ({"messages": talk({"type": "image"}), "images": ["a.jpg"]}, "a.jpg"),
    "prompt and completion": ({"prompt": [Q], "completion": [A], "images": ["a.jpg"]}, "a.jpg"),
    "axolotl": ({"messages": talk({"type": "image", "path": "a.jpg"})}, "a.jpg"),
    "in the turn": ({"messages": [{**Q, "images": ["a.jpg"]}, A]}, "a.jpg"),
    "Phi": ({"conversations": [{"images": ["a.jpg"], "user": "Who?", "assistant": "A jay."}]}, "a.jpg"),
    "ms-swift's pairs": ({"conversation": [{"human": "Who?", "assistant": "A jay."}], "images": ["a.jpg"]}, "a.jpg"),
    "query": ({"query": "Who?", "response": "A jay.", "images": "a.jpg"}, "a.jpg"),
    "alpaca": ({"instruction": "Who?", "input": "", "output": "A jay.", "image": "a.jpg"}, "a.jpg"),
    "Qwen-VL": (
        {
            "conversations": [
                {"from": "user", "value": "<img>a.jpg</img>\nWho?"},
                {"from": "assistant", "value": "A jay."},
            ]
        },
        "a.jpg",
    ),
    "two lists": (
        {"image": "a.jpg", "conversations": {"from": ["human", "gpt"], "value": ["Who?", "A jay."]}},
        "a.jpg",
    ),
    "another key": ({"conversations": [ASKED, SAID], "img_name": "a.jpg"}, "a.jpg"),
    "a photo": ({"conversations": [ASKED, SAID], "photo": "a.png"}, "a.png"),
    "a file": ({"conversations": [ASKED, SAID], "file_name": "a.jpg"}, "a.jpg"),
    "an id of COCO's": ({"conversations": [ASKED, SAID], "image_id": "000000000092"}, "000000000092.jpg"),
    "a backslash": ({"conversations": [ASKED, SAID], "image": "b\\a.jpg"}, "b/a.jpg"),
    "question": ({"question": "Who?", "answer": "A jay.", "image": "a.jpg"}, "a.jpg"),
    "cauldron": ({"images": ["a.jpg"], "texts": [{"user": "Who?", "assistant": "A jay."}]}, "a.jpg"),
}


def rows_of(folder, *records):
    """Read records, and return their rows in order."""
    (folder / "pool.json").write_text(json.dumps(records))
    return read_pool(folder / "pool.json").rows.sort("order").to_dicts()


@pytest.mark.parametrize("name", ONE_PICTURE)
def test_one_picture_in_any_dress(name, tmp_path):
    """Whatever a format calls speakers and pictures, the sample has one question, one answer and its picture."""
    record, picture = ONE_PICTURE[name]
    (row,) = rows_of(tmp_path, record)
    assert row["problem"] is None
    assert [(turn["from"], turn["value"]) for turn in row["turns"]] == [("human", "<image>\nWho?"), ("gpt", "A jay.")]
    assert [one.name for one in media_of(row["image"], row["media"])] == [picture]


def test_marks_in_another_order(tmp_path):
    """Numbered marks put the pictures in the order in which they stand in the text."""
    asked = [{"role": "user", "content": "Compare <image_01> and <image_00>"}, A]
    (row,) = rows_of(tmp_path, {"image": {"<image_00>": "a.jpg", "<image_01>": "b.jpg"}, "conversations": asked})
    assert row["turns"][0]["value"] == "Compare <image> and <image>"
    assert [one["path"] for one in row["media"]] == ["b.jpg", "a.jpg"]


@pytest.mark.parametrize("key", ["figure", "screenshot", "filepath", "local_path", "image_src"])
def test_any_key_that_names_a_picture_is_one(key, tmp_path):
    """A text-only record does not exist where a key names a picture's file, whatever the key is called."""
    one, two = rows_of(
        tmp_path,
        {"id": "1", "conversations": [ASKED, SAID], key: "a.jpg"},
        {"id": "2", "conversations": [ASKED, SAID], key: ["a.jpg", "b.jpg"]},
    )
    assert one["image"] == "a.jpg"
    assert [each["path"] for each in two["media"]] == ["a.jpg", "b.jpg"]
    assert two["turns"][0]["value"] == "<image>\n<image>\nWho?"


def test_a_column_of_pictures_by_any_name(tmp_path):
    """A picture that lies in Parquet is read under any name of its column, and never written as a value."""
    struct = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    pictures = pa.array([{"bytes": PNG, "path": None}, {"bytes": b"", "path": "z.jpg"}, None], struct)
    table = pa.table({"id": ["1", "2", "3"], "conversations": [[ASKED, SAID]] * 3, "jpg": pictures})
    pq.write_table(table, tmp_path / "pool.parquet")
    rows = read_pool(tmp_path / "pool.parquet").rows.sort("order").to_dicts()
    assert [row["image"] for row in rows] == [HASH, None, None]
    assert all("record:" not in (row["extra"] or "") for row in rows)


@pytest.mark.parametrize(
    ("record", "asked", "said", "problem"),
    [
        ({"question": "Who?", "answers": ["jay"], "image_id": "0054c9"}, "Who?", "jay", None),
        ({"question": "Who?", "answer": "A", "choices": {"A": "jay", "B": "tit"}}, "Who?\nA. jay\nB. tit", "A", None),
        ({"question": "Who?", "answer": 1, "options": ["A. jay", "B. tit"]}, "Who?\nA. jay\nB. tit", "B", None),
        ({"question": "Who?", "answers": ["jay", "tit"], "answer_weights": [0.2, 0.8]}, "Who?", "tit", None),
        ({"index": 1, "question": "Who?", "answer": "A", "image": "0"}, "Who?", "A", "L07"),
        ({"index": 1, "question": "Who?", "answer": "A", "image": "AAAA$$"}, "Who?", "A", "L08"),
    ],
)
def test_questions_are_read_as_they_are_meant(record, asked, said, problem, tmp_path):
    """Options, weights and answers by number are what they mean; a picture that is not known is a problem."""
    (row,) = rows_of(tmp_path, record if "image_id" in record or "image" in record else {**record, "image": "a.jpg"})
    assert row["problem"] == problem
    assert [turn["value"] for turn in row["turns"]] == [f"<image>\n{asked}", said]


def test_the_longer_list_of_pictures_counts(tmp_path):
    """Where `image` repeats the first of `images`, the sample has them all."""
    two = {"from": "human", "value": "<image><image>Same?"}
    (row,) = rows_of(tmp_path, {"image": "a.jpg", "images": ["a.jpg", "b.jpg"], "conversations": [two, SAID]})
    assert [one["path"] for one in row["media"]] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("nothing", [None, "", [], "none", "None", [None], [""], float("nan"), "nan"])
def test_nothing_is_a_text_only_sample(nothing, tmp_path):
    """A key that names no picture is none where no mark asks for one, and the problem L07 where one does."""
    marked_turn = {"from": "human", "value": "<image>\nWho?"}
    plain, asking = rows_of(
        tmp_path,
        {"image": nothing, "conversations": [ASKED, SAID]},
        {"image": nothing, "conversations": [marked_turn, SAID]},
    )
    assert (plain["problem"], plain["image"]) == (None, None)
    assert asking["problem"] == "L07"


def test_an_id_that_names_no_file_is_never_text_only(tmp_path):
    """A sample whose picture is known by a number alone is a problem, since it is not known which file it is."""
    (row,) = rows_of(tmp_path, {"image_id": 7, "conversations": [ASKED, SAID]})
    assert row["problem"] == "L07"


def test_a_system_prompt_is_kept(tmp_path):
    """A leading system turn is kept under `system`; one after the first question is a problem."""
    system = {"role": "system", "content": "Be brief."}
    first, late = rows_of(tmp_path, {"messages": [system, Q, A]}, {"messages": [Q, A, system, Q, A]})
    assert json.loads(first["extra"]) == {"system": "Be brief."}
    assert late["problem"] == "L10"


def test_numbered_marks_are_marks(tmp_path):
    """Marks that number all pictures in their order become `<image>`; others are left, and do not fit."""
    pictures = {"<image_00>": "a.jpg", "<image_01>": "b.jpg"}
    asked = [{"role": "user", "content": "<image_00> <image_01> Same?"}, A]
    (row,) = rows_of(tmp_path, {"image": ["a.jpg", "b.jpg"], "conversations": asked})
    assert row["turns"][0]["value"] == "<image> <image> Same?"
    assert [one["path"] for one in row["media"]] == list(pictures.values())


@given(st.lists(st.sampled_from(list(MARKS)), min_size=2, max_size=4), st.integers(0, 5))
def test_as_many_marks_as_media(kinds, marks):
    """Turns come back with a mark for each medium, or with the problem `marks`; the words never change."""
    media = [Medium(kind, f"{at}.x") for at, kind in enumerate(kinds)]
    turns = [("human", MARKS["image"] * marks + "Who?"), ("gpt", "A jay.")]
    found, problem, added = marked(turns, media)
    text = found[0][1]
    if problem is None:
        assert all(text.count(MARKS[kind]) == kinds.count(kind) for kind in set(kinds))
    else:
        assert problem.startswith("marks:")
        assert found == turns
    assert added == (problem is None and found != turns and len(text) > len(turns[0][1]))
    for mark in MARKS.values():
        text = text.replace(mark, "")
    assert text.strip() == "Who?"


@pytest.mark.parametrize(
    ("objects", "frame"),
    [
        ({"ref": ["jay"], "bbox": [[1, 2, 3, 4]]}, "pixels"),
        ({"ref": ["jay"], "bbox": [[0, 0, 1, 1]], "bbox_type": "norm1"}, "unit"),
    ],
)
def test_objects_fill_their_places(objects, frame):
    """Names and boxes stand where the texts leave places for them, in their order, with the frame that is stated."""
    turns = [("human", "Find the <ref-object>"), ("gpt", "<bbox>")]
    box = f"[{', '.join(map(str, objects['bbox'][0]))}]"
    assert fill_objects(turns, objects) == ([("human", "Find the jay"), ("gpt", box)], frame, None)
    assert fill_objects([*turns, ("gpt", "<bbox>")], objects)[2] == "bad_box:placeholders"


def test_a_name_that_cannot_be_written_is_a_problem(tmp_path):
    """Half of a surrogate pair in the name of an object is L12, as in any text, and tags of other types are none."""
    record = {
        "messages": [
            {"role": "user", "content": "<image>Find the <ref-object>"},
            {"role": "assistant", "content": "<bbox>"},
        ]
    }
    (row,) = rows_of(tmp_path, {**record, "images": ["a.jpg"], "objects": {"ref": ["\ud83d"], "bbox": [[1, 2, 3, 4]]}})
    assert (row["problem"], row["turns"]) == ("L12", [])
    assert by_usual_names(record, {"tags": {"role_tag": ["role"]}}) == record


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"bbox_2d": [1, 2, 1001, 4]}', "pixels"),
        ('{"bbox_2d": [1, 2, 900, 4]}', None),
        ("<box>[[1, 2, 900, 4]]</box>", "thousand"),
        ("<box>[[1, 2, 1900, 4]]</box>", None),
        ("<box>[[0.1, 0.2, 0.3, 0.4]]</box>", None),
        ("[0.1, 0.2, 0.3, 0.4]", None),
    ],
)
def test_a_frame_is_proved_and_never_guessed(text, frame):
    """Only markup and numbers that fit nothing else say what coordinates refer to."""
    assert frame_of([("gpt", text)]) == frame


@given(st.lists(st.sampled_from(["a", ".", "b.jpg", ""]), min_size=1, max_size=5), st.sampled_from(["/", "\\"]))
def test_a_path_is_spelled_one_way(parts, slash):
    """Spelling is idempotent, and leaves neither doubled slashes, nor backslashes, nor folders that are no step."""
    path = spelled(slash.join(parts))
    assert spelled(path) == path
    assert "\\" not in path
    assert "//" not in path
    assert "/./" not in path
    assert not path.startswith("./")


def test_roots_tell_pictures_apart():
    """One relative name below two folders is two names; an absolute path or a URL is below none."""
    assert below("x/", "a.jpg") != below("y/", "a.jpg")
    assert below("x", "/a.jpg") == "/a.jpg"
    assert below("x", "https://a.org/b.jpg") == "https://a.org/b.jpg"
