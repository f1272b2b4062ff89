"""Writers for trainers: records by hand, nothing lost, the contract holds, and a file that is read is written again."""

from __future__ import annotations

import json
import tarfile
import warnings

import numpy as np
import polars as pl
import pytest
from builders import make_pool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trainers import (
    SIZE,
    TRAINERS,
    any_chats,
    chat,
    held_by,
    knobs_of,
    picture,
    pictures,
    pool_of_chats,
    shown,
    sizes,
    some_chats,
)

from recipe.check import check_mix
from recipe.config.registry import find
from recipe.config.step import Step
from recipe.data.media import Medium
from recipe.errors import BoxesLeft, InputError
from recipe.stages.read import read_pool
from recipe.stages.write import _arrow, trl, write_records
from recipe.stages.write._layout import Layout

ONE = chat("<image>\nWhat is it?", "A jay.", "Sure?", "Yes.", media=shown("coco/1.jpg"), name="a")
TWO = chat("Is <image> older than <image>?", "No.", media=shown("1.jpg", "2.jpg"), name="b")
TEXT = chat("Why?", "So.", system="Be brief.", name="c")
FILM = chat("<video>\nWhat happens?", "It rains.", media=[Medium("video", "rain.mp4")], name="d")


def written(folder, writer, *chats, **knobs):
    """Write samples for a trainer, and return the file."""
    file = folder / f"mix{TRAINERS[writer]}"
    rows = np.arange(len(chats), dtype=np.int64)
    assert find("write", writer)(pool_of_chats(chats), rows, file, **(knobs_of(writer) | knobs)) == len(chats)
    return file


def records(file):
    """The records of a written JSON file."""
    text = file.read_text("ascii")
    return json.loads(text) if file.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def turns(*texts, who="from", says="value", names=("human", "gpt")):
    """Turns of two sides."""
    return [{who: names[i % 2], says: text} for i, text in enumerate(texts)]


def messages(*texts):
    """Messages of user and assistant."""
    return turns(*texts, who="role", says="content", names=("user", "assistant"))


def test_llava_next_by_hand(tmp_path):
    """One picture is a path, two are a list, a video's mark is `<image>`, and a system prompt stays a key."""
    assert records(written(tmp_path, "llava_next", ONE, TWO, TEXT, FILM)) == [
        {
            "id": "a",
            "image": "coco/1.jpg",
            "conversations": turns("<image>\nWhat is it?", "A jay.", "Sure?", "Yes."),
        },
        {"id": "b", "image": ["1.jpg", "2.jpg"], "conversations": turns("Is <image> older than <image>?", "No.")},
        {"id": "c", "conversations": turns("Why?", "So."), "system": "Be brief."},
        {"id": "d", "video": "rain.mp4", "conversations": turns("<image>\nWhat happens?", "It rains.")},
    ]


def test_llama_factory_by_hand(tmp_path):
    """Every record has the lists of every kind in the file, and a system prompt is the first message."""
    system = [{"role": "system", "content": "Be brief."}]
    assert records(written(tmp_path, "llama_factory", ONE, TEXT, FILM)) == [
        {
            "id": "a",
            "messages": messages("<image>What is it?", "A jay.", "Sure?", "Yes."),
            "images": ["coco/1.jpg"],
            "videos": [],
        },
        {"id": "c", "messages": [*system, *messages("Why?", "So.")], "images": [], "videos": []},
        {"id": "d", "messages": messages("<video>\nWhat happens?", "It rains."), "images": [], "videos": ["rain.mp4"]},
    ]


def test_swift_by_hand(tmp_path):
    """`<bbox>` stands for a box: pixels are real, and all others are shares of the picture."""
    known = shown("a.jpg", width=200, height=100)
    boxes = [
        chat("<image>\nWhere?", "[8, 12, 32, 48]", media=known, frame="pixels"),
        chat("<image>\nWhere?", "At [0.1, 0.25, 0.5, 0.75], so.", media=known, frame="square"),
        chat("<image>\nWhere?", "[0.1, 0.25, 0.5, 0.75]", media=known),
    ]
    first, second, third = records(written(tmp_path, "swift", *boxes))
    assert first["messages"] == messages("<image>Where?", "<bbox>")
    assert first["objects"] == {"ref": [], "bbox": [[8, 12, 32, 48]], "bbox_type": "real"}
    assert second["messages"][1]["content"] == "At <bbox>, so."
    assert second["objects"] == {"ref": [], "bbox": [[0.1, 0, 0.5, 1]], "bbox_type": "norm1"}
    assert third["messages"][1]["content"] == "[0.1, 0.25, 0.5, 0.75]"
    assert third["objects"]["bbox"] == []


def test_qwen_by_hand(tmp_path):
    """Boxes are pixels or thousandths, as its generations want them; JSON Lines if the ending says so."""
    box = chat("<image>\nWhere?", '{"bbox_2d": [0.1, 0.25, 0.5, 1]}', media=shown("a.jpg"), frame="unit", name="a")
    [record] = records(written(tmp_path, "qwen_vl", box))
    assert record["conversations"][1]["value"] == '{"bbox_2d": [6, 12, 32, 48]}'
    [record] = records(written(tmp_path, "qwen_vl", box, frame="thousand"))
    assert record["conversations"][1]["value"] == '{"bbox_2d": [100, 250, 500, 1000]}'
    find("write", "qwen_vl")(pool_of_chats([ONE, FILM]), [0, 1], tmp_path / "mix.jsonl")
    assert [list(record) for record in records(tmp_path / "mix.jsonl")] == [
        ["id", "image", "conversations"],
        ["id", "video", "conversations"],
    ]


def test_internvl_by_hand(tmp_path):
    """Sizes stand beside the pictures, boxes in their marks, and a system prompt first, with a list of pictures."""
    box = chat("<image>\nWhere?", "[0.1, 0.25, 0.5, 1]", media=shown("a.jpg", width=200, height=100), frame="unit")
    prompted = chat("<image>\nWhat?", "A jay.", media=shown("b.jpg"), system="Be brief.")
    first, second, third = records(written(tmp_path, "internvl", box, TWO, prompted))
    assert (first["width"], first["height"]) == (200, 100)
    assert first["conversations"][1]["value"] == "<box>[[100, 250, 500, 1000]]</box>"
    assert (second["width_list"], second["height_list"]) == ([64, 64], [48, 48])
    assert third["image"] == ["b.jpg"]
    assert third["conversations"][0] == {"from": "system", "value": "Be brief."}
    [bare] = records(written(tmp_path, "internvl", ONE, sizes=None))
    assert "width" not in bare


def test_trl_by_hand(tmp_path):
    """Marks become blocks, pictures bytes or a path, and the schema says that they are pictures."""
    file = written(tmp_path, "trl", TWO, TEXT)
    first, second = pl.read_parquet(file).to_dicts()
    blocks = [
        {"type": "text", "text": "Is "},
        {"type": "image", "text": None},
        {"type": "text", "text": " older than "},
        {"type": "image", "text": None},
        {"type": "text", "text": "?"},
    ]
    assert first["messages"][0] == {"role": "user", "content": blocks}
    assert first["images"] == [{"bytes": picture(), "path": "1.jpg"}, {"bytes": picture(), "path": "2.jpg"}]
    assert (second["images"], second["messages"][0]["role"]) == ([], "system")
    for knobs in ({"pictures": None}, {"embed": False}):
        [row] = pl.read_parquet(written(tmp_path, "trl", ONE, **knobs)).to_dicts()
        assert row["images"] == [{"bytes": None, "path": "coco/1.jpg"}]
    import pyarrow.parquet as pq

    described = json.loads(pq.read_schema(file).metadata[b"huggingface"])
    assert described["info"]["features"]["images"] == [{"_type": "Image"}]


def test_trl_groups_are_small(tmp_path, monkeypatch):
    """A group of rows holds no more rows and bytes of pictures than it should, whatever their number."""
    import pyarrow.parquet as pq

    monkeypatch.setattr(trl, "GROUP", 4)
    monkeypatch.setattr(trl, "BYTES", 2 * len(picture()))
    file = written(tmp_path, "trl", *[ONE] * 5, *[TEXT] * 6)
    groups = pq.ParquetFile(file).metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [3, 1, 4, 3]
    again(tmp_path, "trl", file, 11)


def test_webdataset_by_hand(tmp_path):
    """The files of a key stand together, pictures before their record, and nothing of the machine is in the tar."""
    png = picture(kind="PNG")
    given = iter([png, picture(), png])
    file = written(tmp_path, "webdataset", ONE, TWO, TEXT, pictures=lambda wanted: [next(given) for _ in wanted])
    with tarfile.open(file) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
        assert {(member.mtime, member.uid, member.uname) for member in tar.getmembers()} == {(0, 0, "")}
    keys = ["000000000.png", "000000000.json", "000000001.0.jpg", "000000001.1.png", "000000001.json", "000000002.json"]
    assert list(found) == keys
    assert found["000000000.png"] == png
    assert json.loads(found["000000001.json"]) == {
        "id": "b",
        "texts": messages("Is <image> older than <image>?", "No."),
        "media": "image",
        "name": ["0.jpg", "1.png"],
    }
    assert json.loads(found["000000002.json"])["media"] == "text"


def test_a_tar_needs_the_bytes(tmp_path):
    """A picture whose bytes nothing has is an error that names it and the option, and no file is left."""
    with pytest.raises(InputError, match=r"coco/1\.jpg.*--images"):
        written(tmp_path, "webdataset", ONE, pictures=lambda wanted: (None for _ in wanted))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("writer", "one"),
    [
        ("llava", TWO),
        ("jsonl", FILM),
        ("llava_next", chat("<video><image>\nSo?", "No.", media=[Medium("video", "a.mp4"), Medium(path="a.jpg")])),
        ("qwen_vl", chat("<audio>\nWho?", "I.", media=[Medium("audio", "a.wav")])),
        ("internvl", FILM),
        ("trl", FILM),
        ("webdataset", FILM),
    ],
)
def test_what_cannot_be_held_is_refused(writer, one, tmp_path):
    """A sample that the records of a trainer cannot hold is an error that names its key, and no file is left."""
    with pytest.raises(InputError, match=r"can hold, got .* key 0{32}"):
        written(tmp_path, writer, one)
    assert list(tmp_path.iterdir()) == []


def test_boxes_without_a_size_are_counted(tmp_path):
    """A box that cannot be converted stays as it is, and a warning counts the samples; one of no frame is not meant."""
    pixels = chat("<image>\nWhere?", "[8, 12, 32, 48]", media=shown("a.jpg"), frame="pixels")
    unknown = chat("<image>\nWhere?", "[8, 12, 32, 48]", media=shown("a.jpg"))
    for writer in ("llava", "llava_next", "internvl"):
        with pytest.warns(BoxesLeft, match="1 samples"):
            found = records(written(tmp_path, writer, pixels, unknown, sizes=None))
        assert [record["conversations"][1]["value"] for record in found] == ["[8, 12, 32, 48]"] * 2


def test_llava_gets_the_padded_square(tmp_path):
    """Thousandths and pixels become 0 to 1 of the square to which LLaVA pads a picture, and what is 0 to 1 stays."""
    known = shown("a.jpg", width=200, height=100)
    boxes = [
        chat("<image>\nWhere?", "<box>[[0, 0, 500, 1000]]</box>", media=known, frame="thousand"),
        chat("<image>\nWhere?", "[0, 0, 100, 100]", media=known, frame="pixels"),
        chat("<image>\nWhere?", "[0.0, 0.25, 0.50, 0.75]", media=known, frame="square"),
        chat("<image>\nWhere?", "[0.0, 0.0, 0.50, 1.0]", media=known, frame="unit"),
    ]
    said = [record["conversations"][1]["value"] for record in records(written(tmp_path, "llava", *boxes))]
    assert said == ["[0, 0.25, 0.5, 0.75]", "[0, 0.25, 0.5, 0.75]", "[0.0, 0.25, 0.50, 0.75]", "[0.0, 0.0, 0.50, 1.0]"]


def test_swift_has_one_of_each_kind_early(tmp_path, monkeypatch):
    """Arrow knows columns by the first part of a file: the first of each kind stands in it, all others as picked."""
    box = chat("<image>\nWhere?", "[8, 12, 32, 48]", media=shown("a.jpg"), frame="pixels", name="box")
    texts = [chat("Why?", "So.", name=str(i)) for i in range(40)]
    many = [*texts[:30], FILM, ONE, *texts[30:], FILM | {"id": "e"}, box]
    ids = [each["id"] for each in many]
    assert [record["id"] for record in records(written(tmp_path, "swift", *many))] == ids
    monkeypatch.setattr(_arrow, "CHUNK", 20 * (_arrow.RECORD + 6 * 7))
    monkeypatch.setattr("recipe.check.trainer.swift.ARROW_CHUNK", 2500)
    file = written(tmp_path, "swift", *many)
    found = [record["id"] for record in records(file)]
    assert found[10:13] == ["d", "a", "box"]
    assert [name for name in found if name not in ("d", "a", "box")] == [*map(str, range(40)), "e"]
    assert check_mix(file, trainer="swift") == []
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:10], *lines[13:], *lines[10:13]]))
    assert {(each.code, each.detail) for each in check_mix(file, trainer="swift")} == {("T14", "videos")}


@pytest.mark.parametrize("writer", TRAINERS)
def test_packs_have_one_picture(writer, tmp_path):
    """Questions about one picture become one record that shows it once; several pictures are no pack."""
    questions = [chat(f"<image>\nQ{i}?", "A.", media=shown("a.jpg")) for i in range(3)]
    several = [chat(f"<image>\n<image>\nQ{i}?", "A.", media=shown("a.jpg", "b.jpg"), name=f"e{i}") for i in range(2)]
    chats = held_by(writer, [*questions, *several])
    file = tmp_path / f"mix{TRAINERS[writer]}"
    count = find("write", writer)(pool_of_chats(chats), np.arange(len(chats)), file, pack=True, **knobs_of(writer))
    assert count == 1 + len(chats) - 3
    assert check_mix(file, trainer=writer) == []


@pytest.mark.parametrize("writer", TRAINERS)
@pytest.mark.parametrize("whole", ["some", "none"])
def test_the_contract_finds_nothing(writer, whole, tmp_path):
    """What a writer wrote of every kind of sample that it holds has no finding in its trainer's check; of none, one."""
    file = written(tmp_path, writer, *(held_by(writer, some_chats()) if whole == "some" else []))
    codes = {found.code for found in check_mix(file, trainer=writer, decode=False)}
    assert codes == (set() if whole == "some" else {"L04"} if writer in ("llava", "jsonl") else {"T02"})


@pytest.mark.parametrize("writer", TRAINERS)
def test_read_and_written_again(writer, tmp_path):
    """A file that is read and written again in its order has the same bytes, boxes and all."""
    chats = held_by(writer, some_chats())
    again(tmp_path, writer, written(tmp_path, writer, *chats), len(chats))


@pytest.mark.parametrize("writer", TRAINERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chats=any_chats(), random=st.randoms(use_true_random=False))
def test_any_samples_come_back(writer, chats, random, tmp_path):
    """Whatever sound samples are written, the contract finds nothing, and written again the bytes are the same."""
    held = held_by(writer, chats)
    random.shuffle(held)
    if not held:
        return
    file = written(tmp_path, writer, *held)
    assert check_mix(file, trainer=writer) == []
    again(tmp_path, writer, file, len(held))


def again(folder, writer, file, count):
    """Assert that a file is read whole, and gives the same bytes when it is written again."""
    pool = read_pool(file)
    assert len(pool) == count
    assert pool.rows["problem"].drop_nulls().to_list() == []
    order = np.argsort(pool.rows["order"].to_numpy(), kind="stable").astype(np.int64)
    copy = folder / f"again{TRAINERS[writer]}"
    assert find("write", writer)(pool, order, copy, **knobs_of(writer)) == count
    assert copy.read_bytes() == file.read_bytes()


def test_helpers_agree():
    """The picture that tests write is as large as they say."""
    assert list(sizes([1])) == [SIZE]
    assert next(pictures([1])) == picture()


def test_boxes_of_several_frames_are_told(tmp_path):
    """A writer that leaves boxes as they are warns where they refer to several things, and not where to one."""
    pool = make_pool([[("human", "Where?"), ("gpt", "[1, 2, 3, 4]")]] * 3, frame=["pixels", "unit", None])
    both, one = np.array([0, 1, 2]), np.array([0, 2])
    with pytest.warns(BoxesLeft, match="1 pixels, 1 unit"):
        write_records(tmp_path / "a.json", pool, both, layout=Layout(), format=Step("llama_factory", {}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_records(tmp_path / "b.json", pool, one, layout=Layout(), format=Step("llama_factory", {}))
