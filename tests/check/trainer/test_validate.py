"""`recipe validate`: exit codes, output, images, tokenizers, and the laws of a repaired copy."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.check import check_mix, fix_mix
from recipe.check.trainer.images import image_faults
from recipe.data.problems import PROBLEMS
from recipe.errors import ConfigError, InputError, MissingExtra

GOOD = {
    "id": "good",
    "conversations": [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A jay."}],
}


def record(*texts, first="human", **keys):
    """A record whose turns alternate."""
    speakers = ["human", "gpt"] if first == "human" else ["gpt", "human"]
    turns = [{"from": speakers[i % 2], "value": text} for i, text in enumerate(texts)]
    return {"id": "1", **keys, "conversations": turns}


def shown(**keys):
    """A sound record with an image."""
    return record("<image>\nWhat is it?", "A jay.", **{"image": "1.jpg", **keys})


def write(path, mix):
    """Write a mix as LLaVA reads it."""
    path.write_text(json.dumps(mix))
    return path


def numbered(mix):
    """Give each record of a mix an id of its own."""
    return [each | {"id": str(number)} for number, each in enumerate(mix)]


def repeats(mix):
    """Return whether two records have one id, other than none."""
    ids = [json.dumps(each["id"]) for each in mix if each.get("id") is not None]
    return len(set(ids)) < len(ids)


def fixed(folder, mix, **knobs):
    """Repair a mix: the records kept, and the rejects."""
    fix_mix(write(folder / "mix.json", mix), folder / "out.json", **knobs)
    lines = (folder / "out.rejects.jsonl").read_text("ascii").splitlines()
    return json.loads((folder / "out.json").read_text("ascii")), [json.loads(line) for line in lines]


def run(*arguments, cwd):
    """Run `recipe validate` in a process of its own."""
    command = [sys.executable, "-m", "recipe", "validate", *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ)


# the command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a valid file, one with problems, and one on which only other loaders fail."""
    folder = tmp_path_factory.mktemp("validate")
    write(folder / "clean.json", [GOOD])
    write(folder / "wrong.json", [GOOD, *numbered([shown(image="[red]/1.jpg"), *[record("Why?", "")] * 4])])
    write(folder / "others.json", [GOOD, GOOD | {"id": 7}])
    (folder / "images").mkdir()
    return folder


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["clean.json"], 0),
        (["wrong.json"], 1),
        (["others.json"], 0),
        (["others.json", "--strict"], 1),
        (["nowhere.json"], 2),
        (["images"], 2),
        (["clean.json", "--images", "nowhere"], 2),
        (["clean.json", "--decode"], 2),
        (["clean.json", "--tokenizer", "clean.json"], 2),
        (["clean.json", "--fix", "nowhere/out.json"], 2),
    ],
)
def test_exit_codes(folder, arguments, code):
    """A clean file exits 0, findings 1, what cannot be read or written 2 with one line on standard error."""
    done = run(*arguments, cwd=folder)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert (done.stderr.count("\n") == 1) is (code == 2)
    assert bool(done.stdout) is (code != 2)


def test_the_table_tells_each_code_once(folder):
    """The table has a line a code with its severity, count, first three places and fix; brackets stay brackets."""
    output = run("wrong.json", "--images", "images", cwd=folder).stdout
    for part in ("L08", "stops", "W06", "silent", "record 2, turn 1", "record 4, turn 1", "5 findings"):
        assert part in output
    assert "record 5" not in output
    assert "'[red]/1.jpg'" in output
    assert output.index("L08") < output.index("W06")
    assert "other" in run("others.json", cwd=folder).stdout


def test_json_is_all_that_is_printed(folder):
    """With --json, standard output is one object with the counts, every finding, and what was repaired."""
    done = run("wrong.json", "--images", "images", "--fix", "out.json", "--json", cwd=folder)
    output = json.loads(done.stdout)
    assert output["counts"] == {"L08": 1, "W06": 4}
    assert [(each["code"], each["severity"], each["record"], each["turn"]) for each in output["findings"]] == [
        ("L08", "stops", 1, None),
        *(("W06", "silent", number, 1) for number in range(2, 6)),
    ]
    assert "'[red]/1.jpg': missing" in output["findings"][0]["message"]
    assert output["fixed"] == {"kept": 1, "repaired": 0, "rejected": 5, "rejects": "out.rejects.jsonl"}
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads((folder / "out.json").read_text()) == [GOOD]


def test_a_full_repair_exits_0(folder):
    """With --fix the exit code tells whether every record is in the copy."""
    write(folder / "ids.json", [GOOD, GOOD | {"id": 7}, GOOD | {"image": None, "id": "c"}])
    assert run("ids.json", "--fix", "whole.json", cwd=folder).returncode == 0
    assert run("whole.json", "--strict", cwd=folder).returncode == 0


def test_every_real_quirk_is_judged(real_data, tmp_path):
    """Each file with real problems is checked without a traceback, and its repaired copy has no finding."""
    files = sorted((real_data / "quirks").glob("llava_*.json"))
    assert files
    for file in files:
        found = check_mix(file)
        assert all(str(each) for each in found)
        try:
            done = fix_mix(file, tmp_path / file.name)
        except InputError as error:
            assert "no record can be repaired" in str(error)  # noqa: PT017  the other outcome is below
            assert found
            continue
        assert done.kept + done.rejected == len(json.loads(file.read_text("utf-8")))
        repeated = ["O04"] if repeats(json.loads((tmp_path / file.name).read_text())) else []
        assert [each.code for each in check_mix(tmp_path / file.name)] == repeated


# images


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Return a folder with images that are sound, truncated, corrupt, of one pixel, and none at all."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("images")
    for name, size in (("good.jpg", (64, 48)), ("row.png", (5, 1)), ("pixel.png", (1, 1)), ("whole.jpg", (64, 48))):
        Image.effect_noise(size, 60).save(folder / name)
    Image.new("1", (1 << 14, 1 << 14)).save(folder / "bomb.png")
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("not found")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "folder.jpg").mkdir()
    return folder


FAULTS = {
    "good.jpg": None,
    "row.png": None,
    "gone.jpg": "missing",
    "folder.jpg": "missing",
    "a" * 300 + ".jpg": "missing",
    "nul\0.jpg": "missing",
    "pixel.png": "1x1 pixels",
    "cut.jpg": "truncated",
    "text.jpg": "not an image",
    "empty.jpg": "not an image",
    "bomb.png": "too many pixels",
}


@pytest.mark.parametrize(("name", "fault"), FAULTS.items(), ids=[name[:12].replace("\0", "") for name in FAULTS])
def test_images_are_decoded(images, tmp_path, name, fault):
    """An image that would stop the run is one finding with its reason; without decoding only absence is one."""
    file = write(tmp_path / "mix.json", [GOOD, shown(image=name)])
    found = check_mix(file, images=images, decode=True)
    assert [(each.code, each.record) for each in found] == ([("L08", 1)] if fault else [])
    assert all(fault in each.message and each.message.isprintable() for each in found)
    assert bool(check_mix(file, images=images)) is (fault == "missing")


def test_processes_find_what_one_finds(images, tmp_path):
    """Many images are decoded in processes, with the same faults as one by one."""
    whole, cut = (images / "good.jpg").read_bytes(), (images / "cut.jpg").read_bytes()
    for i in range(90):
        (tmp_path / f"{i}.jpg").write_bytes(cut if i % 9 == 4 else whole)
    mix = [shown(image=f"{i}.jpg") for i in range(90)]
    alone = {name: why for each in mix for name, why in image_faults([each], tmp_path, decode=True).items()}
    assert image_faults(mix, tmp_path, decode=True) == alone
    assert set(alone) == {f"{i}.jpg" for i in range(4, 90, 9)}


def test_paths_that_leave_the_folder_are_not_opened(images, tmp_path, monkeypatch):
    """An absolute or climbing path is W08, whether or not there is a file, and no file outside is touched."""
    (tmp_path / "secret.jpg").write_text("")
    names = [str(tmp_path / "secret.jpg"), f"../{tmp_path.name}/secret.jpg", "..\\secret.jpg"]
    touched = []
    monkeypatch.setattr("os.path.isfile", lambda path: touched.append(path) or True)
    found = check_mix(
        write(tmp_path / "mix.json", numbered(shown(image=name) for name in names)), images=images, decode=True
    )
    assert [each.code for each in found] == ["W08"] * 3
    assert touched == []


def test_decoding_needs_a_folder_and_pillow(images, tmp_path, monkeypatch):
    """Decoding without a folder is refused; without Pillow the error names what to install."""
    file = write(tmp_path / "mix.json", [shown(image="good.jpg")])
    with pytest.raises(ConfigError, match="images=None"):
        check_mix(file, decode=True)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtra, match=r"pip install 'vlm-recipe\[images\]'$"):
        check_mix(file, images=images, decode=True)


# tokens


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """Return a small SentencePiece model that falls back to bytes, as Llama's does."""
    import sentencepiece

    folder = tmp_path_factory.mktemp("tokenizer")
    words = ["cat", "jay", "sits", "on", "a", "red", "wall", "what", "is", "it"]
    (folder / "text.txt").write_text("\n".join(" ".join(words[i:] + words[:i]) for i in range(10)) + "\n")
    sentencepiece.SentencePieceTrainer.Train(
        input=str(folder / "text.txt"),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    return folder / "tokenizer.model"


@pytest.mark.parametrize(("image", "code", "speaker"), [(False, "W07", 1), (True, "W07", 1), (False, "W10", 0)])
def test_tokens_are_counted_exactly(tokenizer, tmp_path, image, code, speaker):
    """A record is too long from the first token that does not fit, as the model itself counts."""
    from sentencepiece import SentencePieceProcessor

    model = SentencePieceProcessor(model_file=str(tokenizer))
    texts = ["what is it", "a jay"]
    room = 2048 - 576 * image

    def spent():
        return len(model.EncodeAsIds(texts[speaker])) + (len(model.EncodeAsIds(texts[1 - speaker])) if speaker else 0)

    while spent() < room:
        texts[speaker] += "中" if room - spent() >= 3 else "?"  # 3 bytes, 3 tokens; and 1
    assert spent() == room
    fits, over = [*texts], [*texts]
    over[speaker] += "?"
    prefix = "<image>" if image else ""
    keys = {"image": "1.jpg"} if image else {}
    mix = numbered(record(f"{prefix}{first}", second, **keys) for first, second in (fits, over))
    found = [(each.code, each.record) for each in check_mix(write(tmp_path / "m.json", mix), tokenizer=tokenizer)]
    if speaker:
        assert found == [(code, 1)]
    else:  # with its answer, the question that just fits is too long
        assert found == [("W07", 0), (code, 1)]


def test_half_a_character_is_counted(tokenizer, tmp_path):
    """What the tokenizer cannot encode is L12, not a crash of the count."""
    file = write(tmp_path / "mix.json", [record("Why?", "\ud83d")])
    assert [each.code for each in check_mix(file, tokenizer=tokenizer)] == ["L12"]


def test_a_tokenizer_that_is_none(tokenizer, tmp_path, monkeypatch):
    """A missing or wrong model is named; without sentencepiece the error names what to install."""
    file = write(tmp_path / "mix.json", [GOOD])
    for name in ("nowhere.model", "mix.json"):
        with pytest.raises(InputError, match="SentencePiece model"):
            check_mix(file, tokenizer=tmp_path / name)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(MissingExtra, match=r"pip install 'vlm-recipe\[tokenizer\]'$"):
        check_mix(file, tokenizer=tokenizer)


# repair

REPAIRS = {  # name: (broken, repaired)
    "mark missing": (record("Why?", "So.", image="1.jpg"), record("<image>\nWhy?", "So.", image="1.jpg")),
    "mark twice": (
        record("<image>\n<image>\nWhy?\n<image>", "So.", image="1.jpg"),
        record("<image>\nWhy?", "So.", image="1.jpg"),
    ),
    "mark amid a question": (
        record("Is <image> real?", "No.", image="1.jpg"),
        record("<image>\nIs real?", "No.", image="1.jpg"),
    ),
    "mark that parts two words": (
        record("Look:<image>what?", "A jay.", image="1.jpg"),
        record("<image>\nLook: what?", "A jay.", image="1.jpg"),
    ),
    "mark between lines": (
        record("Look:\n<image>\nWhat?", "A jay.", image="1.jpg"),
        record("<image>\nLook:\nWhat?", "A jay.", image="1.jpg"),
    ),
    "mark in a later question": (
        record("Why?", "So.", "<image>\nAnd here?", "No.", image="1.jpg"),
        record("<image>\nWhy?", "So.", "And here?", "No.", image="1.jpg"),
    ),
    "mark at the edge of an answer": (
        record("Why?", "So. <image>", image="1.jpg"),
        record("<image>\nWhy?", "So.", image="1.jpg"),
    ),
    "null image": (record("Why?", "So.", image=None, model=""), record("Why?", "So.", model="")),
    "an image that names nothing": (record("Why?", "So.", image=" None", model=""), record("Why?", "So.", model="")),
    "a list that names nothing": (record("Why?", "So.", image=[None, "", "nan"]), record("Why?", "So.")),
    "NaN for an image": (record("Why?", "So.", image=float("nan")), record("Why?", "So.")),
    "backslashes": (
        record("<image>\nWhy?", "So.", image="a\\b\\1.jpg"),
        record("<image>\nWhy?", "So.", image="a/b/1.jpg"),
    ),
    "NaN in an unknown key": (
        record("Why?", "So.", score=float("nan"), more=[{"a": float("-inf")}]),
        record("Why?", "So.", score=None, more=[{"a": None}]),
    ),
    "answer leads": (record("Hi!", "Why?", "So.", first="gpt"), record("Why?", "So.")),
    "several at once": (
        record("Hi!", "Why <image>?", "So.", first="gpt", image="1.jpg"),
        record("<image>\nWhy ?", "So.", image="1.jpg"),
    ),
    "no id": ({"conversations": GOOD["conversations"]}, GOOD | {"id": "1"}),
    "id a number": (GOOD | {"id": 7, "n": 7}, GOOD | {"id": "7", "n": 7}),
}

REJECTS = {  # name: (code, turn, record)
    "mark amid an answer": ("L13", 1, record("<image>\nWhy?", "It says <image> there.", image="1.jpg")),
    "answer with the mark leads": ("W01", None, record("<image>", "Why?", "So.", first="gpt", image="1.jpg")),
    "answer that is nothing but the mark": ("W06", 1, record("Why?", "<image>", image="1.jpg")),
    "null image that is shown": ("W02", 0, record("<image>\nWhy?", "So.", image=None)),
    "image that names nothing and is shown": ("W02", 0, record("<image>\nWhy?", "So.", image="nan")),
    "a drive": ("W08", None, record("<image>\nWhy?", "So.", image="C:\\1.jpg")),
    "answer alone": ("L09", None, record("Hi!", first="gpt")),
    "mark without an image": ("W02", 0, record("<image>\nWhy?", "So.")),
    "no object": ("L05", None, ["Why?"]),
    "empty answer": ("W06", 1, record("Why?", "")),
    "several images": ("L07", None, record("<image>\nWhy?", "So.", image=["1.jpg", "2.jpg"])),
    "absolute path": ("W08", None, record("<image>\nWhy?", "So.", image="/1.jpg")),
    "half a character": ("L12", 1, record("Why?", "\ud83d")),
}


@pytest.mark.parametrize(("broken", "repaired"), REPAIRS.values(), ids=REPAIRS)
def test_certain_repairs(tmp_path, broken, repaired):
    """What can be put right without a doubt is, and the record before it stays as it was."""
    assert fixed(tmp_path, [GOOD, broken]) == ([GOOD, repaired], [])


@pytest.mark.parametrize(("code", "turn", "broken"), REJECTS.values(), ids=REJECTS)
def test_doubtful_records_are_set_aside(tmp_path, code, turn, broken):
    """What cannot be repaired is listed with source, record, id, turn, code and message, and left out."""
    kept, rejects = fixed(tmp_path, [GOOD, broken])
    name = broken.get("id") if isinstance(broken, dict) else None
    message = "; ".join(PROBLEMS[code])
    reject = {"source": "mix.json", "record": 1, "id": name, "turn": turn, "code": code, "message": message}
    assert (kept, rejects) == ([GOOD], [reject])


def test_absolute_paths_below_the_folder_become_relative(images, tmp_path):
    """A path below the image folder is named from there; a missing, broken or foreign image is set aside."""
    names = ["good.jpg", str(images / "good.jpg"), str(images / "gone.jpg"), f"{images}/../1.jpg", "cut.jpg"]
    kept, rejects = fixed(tmp_path, [shown(image=name) for name in names], images=images, decode=True)
    assert [each["image"] for each in kept] == ["good.jpg"] * 2
    assert [(each["record"], each["code"]) for each in rejects] == [(2, "L08"), (3, "W08"), (4, "L08")]
    assert "'cut.jpg': " in rejects[2]["message"]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ([1, "1", None, 1], ["1-2", "1", None, "1-2"]),
        (["a", "absent", "1"], ["a", "1-2", "1"]),
        ([5, "absent"], ["5", "1"]),
        ([True, "true", 1.0], ["true-2", "true", "1.0"]),
        ([3, 3, 4], [3, 3, 4]),
    ],
)
def test_no_repair_makes_two_ids_equal(tmp_path, given, made):
    """Ids of several types become strings that are equal only where the ids were, and a missing one is a new one."""
    mix = [
        {key: one for key, one in (GOOD | {"id": name}).items() if name != "absent" or key != "id"} for name in given
    ]
    kept, _ = fixed(tmp_path, mix)
    assert [each["id"] for each in kept] == made


CONTAINERS = {
    "lines": json.dumps(GOOD).encode() + b"\n\n" + json.dumps(GOOD | {"id": "b"}).encode(),
    "one record": json.dumps(GOOD).encode(),
    "byte-order mark": json.dumps([GOOD]).encode("utf-8-sig"),
    "UTF-16": json.dumps([GOOD]).encode("utf-16"),
}


@pytest.mark.parametrize("data", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_become_one_array(tmp_path, data):
    """A container that LLaVA cannot load is copied with its records unchanged."""
    path = tmp_path / "mix.json"
    path.write_bytes(data)
    assert check_mix(path)
    copy = tmp_path / "copy.json"
    assert fix_mix(path, copy).repaired == 0
    assert {json.dumps(each | {"id": "good"}) for each in json.loads(copy.read_text("ascii"))} == {json.dumps(GOOD)}
    assert check_mix(copy) == []
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", [b"", b"[{]", b"caf\xe9", b"[" * 100_000, b"[" + b"1" * 5000 + b"]", b"[]", b"[7]"])
def test_what_cannot_be_repaired_is_refused(tmp_path, data):
    """A file that is no JSON, or of which nothing would remain, is refused, and an older copy stays."""
    (tmp_path / "out.json").write_text("old")
    (tmp_path / "mix.json").write_bytes(data)
    with pytest.raises(InputError, match=r"mix\.json"):
        fix_mix(tmp_path / "mix.json", tmp_path / "out.json")
    assert (tmp_path / "out.json").read_text() == "old"
    assert all(str(each) for each in check_mix(tmp_path / "mix.json"))


VALUES = st.lists(
    st.sampled_from(["<image>", "\n", " ", "Why", "?", "\u2028", "é", "\ud83d", "<Image>", "</s>"]), max_size=5
)
TURNS = st.fixed_dictionaries(
    {"from": st.sampled_from(["human", "human", "gpt", "gpt", "user"]), "value": VALUES.map("".join)}
)
IMAGES = st.sampled_from(["1.jpg", "1.jpg", None, "", "None", [""], ["1.jpg"], "/1.jpg", "../1.jpg", "a\\1.jpg", 7])
IDS = st.sampled_from(["1", "1", 7, 1.5, None, True])
MARKED = st.lists(st.sampled_from(["<image>", "\n", "Why", "So"]), min_size=1, max_size=4).map("".join)
SEEN = st.lists(MARKED, min_size=2, max_size=2).map(lambda texts: record(*texts, image="1.jpg"))
ANY = st.fixed_dictionaries({"conversations": st.lists(TURNS, max_size=4)}, optional={"image": IMAGES, "id": IDS})


def words(each):
    """The words of every turn, without image marks."""
    return [" ".join(turn["value"].replace("<image>", " ").split()) for turn in each["conversations"]]


@settings(max_examples=150)
@given(st.lists(SEEN | ANY | st.sampled_from([None, {}, "Why?"]), max_size=4))
def test_laws_of_a_repaired_copy(tmp_path_factory, mix):
    """The copy has no finding but ids that repeated before; no record is lost, sound ones are equal, all words stay."""
    folder = tmp_path_factory.mktemp("law")
    mix = [*mix, GOOD]
    before = copy.deepcopy(mix)
    kept, rejects = fixed(folder, mix)
    assert [each.code for each in check_mix(folder / "out.json")] == (["O04"] if repeats(kept) else [])
    gone = {each["record"] for each in rejects}
    stayed = [number for number in range(len(mix)) if number not in gone]
    assert len(kept) == len(stayed) == len(mix) - len(rejects)
    found = check_mix(folder / "mix.json")
    assert fix_mix(folder / "mix.json", folder / "again.json").findings == found
    assert (folder / "again.json").read_bytes() == (folder / "out.json").read_bytes()
    faulty = {each.record for each in found}
    mixed = any(each.code == "O01" for each in found)
    for number, after in zip(stayed, kept, strict=True):
        given_id = before[number].get("id")
        if number not in faulty and (isinstance(given_id, str | None) or not mixed):
            assert after == before[number]
        dropped = len(before[number]["conversations"]) - len(after["conversations"])
        assert words(after) == words(before[number])[dropped:]
        assert dropped == 0 or before[number]["conversations"][0]["from"] == "gpt"
    assert {json.dumps(each) for each in rejects if each["record"] not in faulty} == set()
