"""The check of each trainer finds every fault that is planted in a sound file of it, and says where."""

from __future__ import annotations

import io
import json
import tarfile
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trainers import TRAINERS, picture

from recipe.check import check_mix
from recipe.check.trainer.check import OTHERS, trainer_of
from recipe.data.problems import PROBLEMS
from recipe.errors import ConfigError, InputError

HUMAN = {
    "id": "1",
    "image": "a.jpg",
    "conversations": [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A jay."}],
}
USER = {
    "id": "1",
    "messages": [{"role": "user", "content": "<image>What?"}, {"role": "assistant", "content": "A jay."}],
    "images": ["a.jpg"],
}
BLOCKS = {
    "id": "1",
    "messages": [
        {"role": "user", "content": [{"type": "image", "text": None}, {"type": "text", "text": "What?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A jay."}]},
    ],
    "images": [{"bytes": picture(), "path": "a.jpg"}],
}
SOUND = {
    "llava_next": HUMAN,
    "llama_factory": USER,
    "swift": USER | {"objects": {"ref": [], "bbox": []}},
    "trl": BLOCKS,
    "qwen_vl": HUMAN,
    "internvl": HUMAN | {"width": 64, "height": 48},
    "webdataset": {"id": "1", "texts": USER["messages"], "media": "image", "name": ["jpg"]},
}
META = {"annotation": "own.jsonl", "data_augment": False, "repeat_time": 1}
HUMANS, USERS = ("llava_next", "qwen_vl", "internvl"), ("llama_factory", "swift")


def save(folder, trainer, *given, parts=None):
    """Write records as the trainer's container; a text is a line of a file as it is."""
    file = folder / f"own{TRAINERS[trainer]}"
    if trainer == "trl":
        import pyarrow as pa
        import pyarrow.parquet as pq

        from recipe.stages.write.trl import _schema

        pq.write_table(pa.Table.from_pylist(list(given), schema=_schema(pa)), file)
    elif trainer == "webdataset":
        with tarfile.open(file, "w") as tar:
            for number, record in enumerate(given):
                own = {"jpg": picture(), "json": json.dumps(record).encode()} if parts is None else parts
                for name, content in own.items():
                    member = tarfile.TarInfo(f"{number}.{name}" if parts is None else name)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    else:
        lines = [one if isinstance(one, str) else json.dumps(one) for one in given]
        file.write_text("\n".join(lines) if file.suffix == ".jsonl" else f"[{','.join(lines)}]")
    return file


def codes(file, trainer, **knobs):
    """Code, record and turn of each finding."""
    return [(found.code, found.record, found.turn) for found in check_mix(file, trainer=trainer, **knobs)]


def turns_of(record):
    """The turns of a record, whatever they are called, and the keys of speaker and text."""
    for key, who, said in (
        ("conversations", "from", "value"),
        ("messages", "role", "content"),
        ("texts", "role", "content"),
    ):
        if key in record:
            return record[key], who, said
    raise AssertionError(record)


def speaker(name, at=1):
    """Rename a speaker."""

    def change(record):
        turns, who, _ = turns_of(record)
        turns[at][who] = name

    return change


def says(text, at=1):
    """Let a turn say something else."""

    def change(record):
        turns, _, said = turns_of(record)
        turns[at][said] = [{"type": "text", "text": text}] if isinstance(turns[at][said], list) else text

    return change


def sets(**members):
    """Set members of the record; what is set to None is dropped."""

    def change(record):
        record.update(members)
        for name, value in members.items():
            if value is None:
                del record[name]

    return change


def again(record):
    """Repeat the question before the answer."""
    turns, _, _ = turns_of(record)
    turns.insert(1, deepcopy(turns[0]))


def unanswered(record):
    """Drop the answer."""
    turns_of(record)[0].pop()


EVERY = tuple(SOUND)
JSON = (*HUMANS, *USERS)
FAULTS = [  # trainers, fault, code, turn
    (EVERY, speaker("narrator"), "T04", 1),
    (EVERY, unanswered, "T05", 0),
    (EVERY, says(" "), "S02", 1),
    (EVERY, again, "T05", 1),
    (JSON, says(7), "T03", 1),
    (JSON, says("half \ud83d"), "T09", 1),
    (("llava_next", "qwen_vl"), says("None.", 0), "T06", None),
    (("internvl",), says("None.", 0), None, None),  # its loader puts the mark in front
    (USERS, says("None.", 0), "T06", None),
    (("trl", "webdataset"), says("None.", 0), "T06", None),
    (("qwen_vl", "internvl", "trl"), says("It is <image>."), "S01", 1),
    (("llava_next", *USERS, "webdataset"), says("It is <image>."), "T06", None),
    (("llava_next", "qwen_vl"), says("It is <audio>."), "S01", 1),
    (("llama_factory", "swift"), says("It is <Video>."), "S01", 1),
    (HUMANS, sets(conversations=[]), "T03", None),
    (USERS, sets(messages={}), "T03", None),
    (("llava_next",), sets(image=None, video="a.mp4", conversations=deepcopy(HUMAN["conversations"])), None, None),
    (("llava_next",), sets(video="a.mp4"), "T07", None),
    (("llava_next", "qwen_vl", "internvl"), sets(image={"path": "a.jpg"}), "T07", None),
    (USERS, sets(images=["a.jpg", 7]), "T07", None),
    (("llava_next", "internvl"), sets(image="/data/a.jpg"), "S03", None),
    (("internvl",), sets(width="64"), "T03", None),
    (("internvl",), sets(width_list=[64, 64]), "T03", None),
    (("internvl",), sets(video="a.mp4"), "T07", None),
    (("internvl",), says("<box>[[0, 0, 500, 1200]]</box>"), "S04", 1),
    (("swift",), says("<bbox>"), "T10", None),
    (("swift",), sets(objects={"ref": [], "bbox": [[1, 2, 3, 4]]}), "T10", None),
    (("swift",), sets(objects=[]), "T10", None),
    (("trl",), sets(images=[]), "T06", None),
    (("trl",), sets(images=[{"bytes": None, "path": None}]), "T07", None),
    (("trl",), sets(images=[{"bytes": b"<html>", "path": "a.jpg"}]), "T08", None),
    (("trl",), sets(messages=[]), "T03", None),
    (("webdataset",), sets(name=["png"]), "T13", None),
    (("webdataset",), sets(name=[]), "T13", None),
    (("webdataset",), sets(media="picture"), "T13", None),
]


@pytest.mark.parametrize("trainer", EVERY)
def test_sound_records_have_no_finding(trainer, tmp_path):
    """A record as its trainer's documents have it has no finding, whatever the file's pictures are decoded."""
    (tmp_path / "a.jpg").write_bytes(picture())
    file = save(tmp_path, trainer, SOUND[trainer], SOUND[trainer] | {"id": "2"})
    assert codes(file, trainer) == codes(file, trainer, images=tmp_path, decode=True) == []


@pytest.mark.parametrize(
    ("trainer", "fault", "code", "turn"),
    [(trainer, fault, code, turn) for trainers, fault, code, turn in FAULTS for trainer in trainers],
)
def test_planted_faults_are_found(trainer, fault, code, turn, tmp_path):
    """A fault in the second of two records is found there, with its code; what no loader minds is not."""
    broken = deepcopy(SOUND[trainer]) | {"id": "2"}
    fault(broken)
    found = codes(save(tmp_path, trainer, SOUND[trainer], broken), trainer)
    assert (code, 1, turn) in found if code else found == []
    assert all(record == 1 for _, record, _ in found)


def test_swift_boxes_lie_in_their_frame(tmp_path):
    """A box of 0 to 1 with a larger number is found, and one of pixels may have it."""
    said = [{"role": "user", "content": "<image>Where?"}, {"role": "assistant", "content": "<bbox>"}]
    for kind, expected in (("norm1", [("S04", 0, None)]), ("real", [])):
        objects = {"ref": [], "bbox": [[0.1, 0.2, 30, 40]], "bbox_type": kind}
        file = save(tmp_path, "swift", SOUND["swift"] | {"messages": said, "objects": objects})
        assert codes(file, "swift") == expected


@pytest.mark.parametrize("trainer", EVERY)
def test_other_containers(trainer, tmp_path):
    """Bytes of another kind are one finding of the file, or of its line, an empty file is one, no file is an error."""
    file = tmp_path / f"own{TRAINERS[trainer]}"
    for content in (b"PK\x03\x04 no such thing", b"{", b"\xff\xfe[\x00"):
        file.write_bytes(content)
        assert {code for code, _, _ in codes(file, trainer)} == {"T01"}
    file.unlink()
    with pytest.raises(InputError, match="expected a mix file"):
        check_mix(file, trainer=trainer)


def table(folder, rows, features=None, **columns):
    """Write a Parquet file of rows or columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = pa.table(columns) if columns else pa.Table.from_pylist(rows)
    described = {"huggingface": json.dumps({"info": {"features": features or {"images": [{"_type": "Image"}]}}})}
    pq.write_table(made.replace_schema_metadata(described), folder / "own.parquet")
    return folder / "own.parquet"


def test_other_dresses_of_trl(tmp_path):
    """Prompt and completion, one image a row, and plain texts are TRL's too; a table without pictures' types is not."""
    bytes_only = {"bytes": picture(), "path": None}
    user, assistant = BLOCKS["messages"]
    halves = {"prompt": [user], "completion": [assistant], "images": [bytes_only]}
    assert codes(table(tmp_path, [halves]), "trl") == []
    one = {"messages": BLOCKS["messages"], "image": bytes_only}
    assert codes(table(tmp_path, [one], {"image": {"_type": "Image"}}), "trl") == []
    plain = {"messages": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "A jay."}]}
    assert codes(table(tmp_path, [plain | {"images": [bytes_only]}]), "trl") == []
    assert codes(table(tmp_path, [halves], {"a": 1}), "trl") == [("T11", None, None)]
    assert codes(table(tmp_path, [plain]), "trl") == [("T11", None, None)]
    assert codes(table(tmp_path, [], messages=[1, 2], images=["a", None]), "trl")[:1] == [("T03", 0, None)]
    assert codes(table(tmp_path, [], messages=["a"], images=[7]), "trl") == [("T03", 0, None)]


def test_internvl_wants_lines(tmp_path):
    """InternVL reads files whose names end in jsonl only."""
    (tmp_path / "own.json").write_text(json.dumps([SOUND["internvl"]]))
    assert codes(tmp_path / "own.json", "internvl") == [("T01", None, None)]


def test_qwen_packs_are_opened(tmp_path):
    """The records of a packed list are checked one by one."""
    packed = [[HUMAN, HUMAN | {"id": "2", "image": None}]]
    (tmp_path / "own.json").write_text(json.dumps(packed))
    assert codes(tmp_path / "own.json", "qwen_vl") == [("T06", 0, None)]


@pytest.mark.parametrize("trainer", [name for name in EVERY if name not in ("trl", "webdataset")])
def test_missing_pictures_are_found(trainer, tmp_path):
    """With a folder of images, a picture that is not there is found, and one that is, is not."""
    file = save(tmp_path, trainer, SOUND[trainer])
    assert codes(file, trainer, images=tmp_path) == [("T08", 0, None)]
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    assert codes(file, trainer, images=tmp_path) == []
    assert codes(file, trainer, images=tmp_path, decode=True) == [("T08", 0, None)]


@pytest.mark.parametrize(
    ("trainer", "beside", "content"),
    [
        ("llava_next", "own.yaml", "datasets: [{json_path: other.json}]"),
        ("llava_next", "own.yaml", "datasets: [{json_path: own.json, sampling_strategy: 'first:10'}]"),
        ("llava_next", "own.yaml", "datasets: ["),
        ("llama_factory", "own.dataset_info.json", json.dumps({"a": {"file_name": "other.json"}})),
        ("llama_factory", "own.dataset_info.json", "{"),
        ("internvl", "own.meta.json", json.dumps({"a": {"annotation": "other.jsonl"}})),
        (
            "internvl",
            "own.meta.json",
            json.dumps({"a": {"annotation": "own.jsonl", "data_augment": False, "repeat_time": 1}}),
        ),
        (
            "internvl",
            "own.meta.json",
            json.dumps(
                {"a": {"root": "", "annotation": "own.jsonl", "data_augment": False, "repeat_time": 1, "length": 9}}
            ),
        ),
    ],
)
def test_files_beside_say_the_same(trainer, beside, content, tmp_path):
    """A file beside the mix that does not name it, takes a part of it, or lacks a key, is found."""
    file = save(tmp_path, trainer, SOUND[trainer])
    (tmp_path / beside).write_text(content)
    assert [code for code, _, _ in codes(file, trainer)] == ["T12"]


def test_llama_factory_obeys_its_entry(tmp_path):
    """Columns and tags are those of the entry that describes the file."""
    talk = {
        "talk": [{"from": "human", "value": "<image>What?"}, {"from": "gpt", "value": "A jay."}],
        "shown": ["a.jpg"],
    }
    file = save(tmp_path, "llama_factory", talk)
    assert [code for code, _, _ in codes(file, "llama_factory")] == ["T03"]
    entry = {"file_name": "own.json", "formatting": "sharegpt", "columns": {"messages": "talk", "images": "shown"}}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"a": entry}))
    (tmp_path / "own.dataset_info.json").write_text(json.dumps({"a": entry}))
    assert codes(file, "llama_factory") == []


def test_keys_of_a_tar_stand_together(tmp_path):
    """A key whose files are apart, or that has no record, is found."""
    record = json.dumps(SOUND["webdataset"]).encode()
    apart = {"a.jpg": picture(), "b.json": record, "a.json": record}
    found = codes(save(tmp_path, "webdataset", SOUND["webdataset"], parts=apart), "webdataset")
    assert {code for code, _, _ in found} >= {"T13"}
    assert ("T13", 2, None) in found


WORDS = ["human", "gpt", "user", "<image>", "<bbox>", "<box>[[1, 2, 3, 4000]]</box>", "a.jpg", "", "norm1"]
KEYS = st.sampled_from(
    ["id", "image", "images", "video", "from", "value", "role", "content", "bbox", "ref", "type", "text"]
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def places(value, path=()):
    """Every place in a record, by the keys that lead to it."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def put(record, path, value):
    """Put a value in a place of a copy of a record."""
    if not path:
        return value
    copy = deepcopy(record)
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy


@pytest.mark.parametrize("trainer", [name for name in EVERY if name != "trl"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), beside=ANY)
def test_anything_is_judged(trainer, data, beside, tmp_path):
    """Whatever stands in any place of a record, and in the files beside, a check ends with findings or none."""
    for name in ("own.yaml", "own.dataset_info.json", "own.meta.json"):
        (tmp_path / name).write_text(json.dumps(beside))
    sound = SOUND[trainer]
    broken = put(sound, data.draw(st.sampled_from(list(places(sound)))), data.draw(ANY))
    found = check_mix(save(tmp_path, trainer, sound, broken, data.draw(ANY)), trainer=trainer, images=tmp_path)
    assert all(each.code in PROBLEMS and str(each) for each in found)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(EVERY), st.binary(max_size=40), st.integers(0, 10**6))
def test_damaged_files_are_judged(tmp_path, trainer, noise, at):
    """Other bytes anywhere in a sound file, or its end missing, end in findings or none, and never in an error."""
    file = save(tmp_path, trainer, SOUND[trainer], SOUND[trainer] | {"id": "2"})
    data = file.read_bytes()
    at %= len(data)
    file.write_bytes(data[:at] + noise + data[at + len(noise) :])
    assert all(each.code in PROBLEMS for each in check_mix(file, trainer=trainer, decode=True, images=tmp_path))
    file.write_bytes(data[:at])
    assert all(each.code in PROBLEMS for each in check_mix(file, trainer=trainer, decode=True, images=tmp_path))


def test_ids_that_repeat_are_told(tmp_path):
    """Ids that repeat are one finding that stops nothing."""
    for trainer in EVERY:
        assert codes(save(tmp_path, trainer, SOUND[trainer], SOUND[trainer]), trainer) == [("O04", None, None)]


def test_the_trainer_is_known_by_manifest_or_ending(tmp_path):
    """A name counts as users say it, then the manifest, then the ending; another name is an error that lists them."""
    mix = tmp_path / "mix.json"
    assert trainer_of(mix, "llava-next") == trainer_of(mix, "llava_next") == "llava_next"
    assert [trainer_of(tmp_path / f"mix{end}", None) for end in (".json", ".jsonl", ".parquet", ".tar")] == [
        "llava",
        "llava",
        "trl",
        "webdataset",
    ]
    with pytest.raises(ConfigError, match="did you mean 'internvl'"):
        check_mix(mix, trainer="intern-vl")
    with pytest.raises(ConfigError, match="llava alone"):
        check_mix(save(tmp_path, "swift", USER), trainer="swift", tokenizer=mix)


def test_every_trainer_has_codes_of_its_own_letters():
    """Findings of other trainers begin with T or S, and each code says what to do."""
    assert set(OTHERS) == set(EVERY)
    assert all(PROBLEMS[code].fix for _, _, code, _ in FAULTS if code)
