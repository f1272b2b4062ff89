"""Checks against the trainer contract: every problem is found where it is planted, and nowhere else."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.check import check_mix
from recipe.check.trainer.llava import _findings
from recipe.check.trainer.rules import RULES
from recipe.data.problems import PROBLEMS
from recipe.errors import InputError


def talk(*texts, first="human"):
    """Turns that alternate, beginning with `first`."""
    speakers = ["human", "gpt"] if first == "human" else ["gpt", "human"]
    return [{"from": speakers[i % 2], "value": text} for i, text in enumerate(texts)]


def seen(*texts, **keys):
    """A record with an image."""
    return {"id": "1", "image": "coco/1.jpg", "conversations": talk(*texts), **keys}


def said(*texts, **keys):
    """A record without an image."""
    return {"id": "1", "conversations": talk(*texts), **keys}


def codes(mix, images=None, *, others=False, **knobs):
    """Code, record and turn of every finding in a mix: those of LLaVA, or those of other loaders."""
    data = mix if isinstance(mix, bytes) else json.dumps(mix).encode()
    found = _findings(data, images, **knobs)
    return [(each.code, each.record, each.turn) for each in found if (each.severity == "other") is others]


SOUND = {
    "question and answer": seen("<image>\nWhat is it?", "A cat."),
    "mark behind the question": seen("What is it?\n<image>", "A cat."),
    "mark glued to the question": seen("<image>What is it?", "A cat."),
    "several questions": seen("<image>\nWhat is it?", "A cat.", "Its color?", "Black."),
    "text only": said("Why?", "Because."),
    "markdown and markup": said("What is <b>bold</b>?", "An assistant: a tag, written <b>so</b>."),
    "image without a question": seen("<image>\n", "A cat."),
    "id missing or a number": {"conversations": talk("Why?", "Because.")},
    "unknown keys": said("Why?", "Because.", model="", weight=1.0),
    "just fits beside an image": seen("<image>\nWhy?", "a, " * 652 + ".."),  # 3 + 652 * 2.25 + 2 = 1,472
    "just fits alone": said("Why?", "a, " * 908 + "b"),  # 3 + ceil(908 * 2.25 + 1.25) = 2,048
    "folder names with dots": seen("<image>\nWhy?", "So.", image="vg..2/a..b/c.jpg"),
}

TROUBLE = {  # name: (code, turn, record)
    "conversations missing": ("L05", None, {"id": "1"}),
    "conversations null": ("L05", None, {"conversations": None}),
    "value missing": ("L05", 1, {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt"}]}),
    "value a number": ("L05", 1, said("How many?", 3)),
    "turn no object": ("L05", 1, {"conversations": [{"from": "human", "value": "Why?"}, "Because."]}),
    "record no object": ("L05", None, "Why?"),
    "no words": ("L06", None, said("", " \n")),
    "image null": ("L07", None, seen("<image>\nWhy?", "So.", image=None)),
    "image empty": ("L07", None, seen("<image>\nWhy?", "So.", image="")),
    "image a list": ("L07", None, seen("<image>\nWhy?", "So.", image=["a.jpg"])),
    "image a number": ("L07", None, seen("<image>\nWhy?", "So.", image=7)),
    "no turns": ("L09", None, said()),
    "speaker unknown": ("L10", 1, {"conversations": [*talk("Why?"), {"from": "assistant", "value": "So."}]}),
    "speaker missing": ("L10", 1, {"conversations": [*talk("Why?"), {"role": "gpt", "value": "So."}]}),
    "two questions": ("L11", 1, {"conversations": [*talk("Why?"), *talk("How?", "So.")]}),
    "two leading answers": ("L11", 1, {"conversations": [*talk("Hi!", first="gpt"), *talk("So.", first="gpt")]}),
    "half a character": ("L12", 1, said("Why?", "\ud83d")),
    "image shown twice": ("L13", 2, seen("<image>\nWhy?", "So.", "<image>\nAnd here?", "So.")),
    "image never shown": ("W01", None, seen("Why?", "So.")),
    "mark without an image": ("W02", 0, said("<image>\nWhy?", "So.")),
    "mark of another case": ("W02", 2, seen("<image>\nWhy?", "So.", "And <Image>?", "So.")),
    "video mark": ("W02", 0, said("<video>\nWhy?", "So.")),
    "answer leads": ("W03", 0, {"conversations": talk("Hi!", "Why?", "So.", first="gpt")}),
    "mark twice in a turn": ("W04", 0, seen("<image>\n<image>\nWhy?", "So.")),
    "mark amid a text": ("W04", 0, seen("Is <image> real?", "So.")),
    "mark in the answer": ("W04", 1, seen("Why?", "<image>\nSo.")),
    "mark in a later question": ("W04", 2, seen("Why?", "So.", "<image>\nAnd here?", "So.")),
    "question last": ("W05", 2, said("Why?", "So.", "How?")),
    "question alone": ("W05", 0, said("Why?")),
    "empty answer": ("W06", 1, said("Why?", "")),
    "empty first question": ("W06", 0, said("", "Hello!")),
    "blank later question": ("W06", 2, said("Why?", "So.", " ", "So.")),
    "too long beside an image": ("W07", None, seen("<image>\nWhy?", "a, " * 652 + "...")),
    "too long alone": ("W07", None, said("Why?", "a, " * 909)),
    "too long in all": ("W07", None, said(*["a, " * 120] * 8)),
    "absolute path": ("W08", None, seen("<image>\nWhy?", "So.", image="/data/1.jpg")),
    "address": ("W08", None, seen("<image>\nWhy?", "So.", image="https://example.org/1.jpg")),
    "image in the path": ("W08", None, seen("<image>\nWhy?", "So.", image="data:image/png;base64,AAAA")),
    "drive": ("W08", None, seen("<image>\nWhy?", "So.", image="C:\\1.jpg")),
    "path that climbs out": ("W08", None, seen("<image>\nWhy?", "So.", image="coco/../../1.jpg")),
    "end mark": ("W09", 1, said("Why?", "So.</s>")),
    "unknown mark": ("W09", 0, said("<unk>?", "So.")),
    "speaker of the template": ("W09", 0, said("Say ASSISTANT: hello", "So.")),
    "speaker that opens a text": ("W09", 1, said("Why?", "ASSISTANT: So.")),
    "question without end": ("W10", 0, said("why, " * 911, "So.")),
}


@pytest.mark.parametrize("record", SOUND.values(), ids=SOUND)
def test_sound_records_give_no_finding(record):
    """A record that trains as it is meant is not reported."""
    assert codes([record]) == []


@pytest.mark.parametrize(("code", "turn", "record"), TROUBLE.values(), ids=TROUBLE)
def test_each_problem_is_found_and_nothing_else(code, turn, record):
    """A planted problem is found once, at its record and turn, under its own code alone."""
    assert codes([SOUND["text only"], record]) == [(code, 1, turn)]


OTHERS = {  # name: (findings, ids in file order)
    "strings": ([], ["1", "2"]),
    "numbers": ([], [1, 2.5, 3]),
    "null among strings": ([], ["1", None, "2"]),
    "number among strings": ([("O01", 1, None)], ["1", 2, "3", 4]),
    "truth among numbers": ([("O01", 2, None)], [1, 0, True]),
    "string after null": ([("O01", 2, None)], [None, 1, "1"]),
}


@pytest.mark.parametrize(("expected", "ids"), OTHERS.values(), ids=OTHERS)
def test_mixed_ids_are_told_once(expected, ids):
    """Ids of several types are one finding, at the first that differs; integers and fractions are one type."""
    mix = [said("Why?", "So.") | {"id": name} for name in ids]
    assert codes(mix, others=True) == expected
    assert codes(mix) == []


def test_a_record_without_id_is_a_problem_of_other_loaders_only():
    """A missing id is reported at its record, and is no problem of LLaVA."""
    mix = [said("Why?", "So."), {"conversations": talk("Why?", "So.")}]
    assert codes(mix, others=True) == [("O03", 1, None)]
    assert codes(mix) == []


@pytest.mark.parametrize(("first", "last", "expected"), [(said, seen, ["O02"]), (seen, said, []), (said, said, [])])
def test_images_that_begin_after_the_first_chunk(first, last, expected):
    """Images that begin only after the first 10 MiB, from which Arrow infers the schema, are reported once."""
    text = "<image>\nWhy?" if last is seen else "Why?"
    head = "<image>\nWhy?" if first is seen else 'Why "image"?'
    mix = [first(head, "So.", note="x" * (11 << 20)), last(text, "So.")]
    mix = [each | {"id": str(number)} for number, each in enumerate(mix)]
    assert codes(mix, others=True) == [(code, None, None) for code in expected]
    assert codes(mix[::-1], others=True) == []


def test_repeated_ids_are_told_once_with_examples():
    """Ids that repeat are one finding of the file, which counts them and names some; null and missing ones are none."""
    ids = ["a", 1, "1", "a", None, None, "b", 1, 1, "b", "c", "c", "d", "d"]
    mix = [said("Why?", "So.") | {"id": name} for name in ids]
    (found,) = [each for each in _findings(json.dumps(mix).encode(), None) if each.code == "O04"]
    assert (found.record, found.severity) == (None, "other")
    assert found.detail == '5 of them in 11 records, as "a" in 0, 3; 1 in 1, 7, 8; "b" in 6, 9'
    assert [each[0] for each in codes([said("Why?", "So.", id=name) for name in "abc"], others=True)] == []


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 1e999])
def test_a_number_that_is_no_json_is_a_problem_of_other_loaders_only(number):
    """NaN and the infinities are reported at their record, and a text that only says so is not."""
    mix = [said("Is it NaN?", "Infinity, 1e999."), said("Why?", "So.", id="2", more=[{"score": number}])]
    assert codes(mix, others=True) == [("O05", 1, None)]
    assert codes(mix) == []
    huge = json.dumps(mix).replace("Infinity}", "1e999}").encode()
    assert codes(huge, others=True) == [("O05", 1, None)]


@pytest.mark.parametrize("image", [None, "", "none", "None", "NULL", "nan", " NaN ", [], [None], ["", "none"]])
def test_an_image_that_names_nothing_is_a_finding(image):
    """LLaVA stops at it, whatever its spelling, and a name that only begins so is a file."""
    assert ("L07", 0, None) in codes([said("Why?", "So.", image=image)])
    assert codes([seen("<image>\nWhy?", "So.", image="none.jpg")]) == []


def test_backslashes_are_a_finding():
    """A path with backslashes, which only Windows reads as folders, is found."""
    assert codes([seen("<image>\nWhy?", "So.", image="a\\b.jpg")]) == [("W08", 0, None)]


def test_every_record_code_has_an_example():
    """Each code of the trainer contract stands in the rules, and each rule is tried above."""
    contract = {code for code in PROBLEMS if code[0] in "LW" and code[1:].isdigit()} - {"L01", "L02", "L03", "L04"}
    assert set(RULES) | {"L08"} == contract
    assert {code for code, _, _ in TROUBLE.values()} | {"L08"} == contract


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ["L01"]),
        (b'{"id": "1"}\n["2"]\n', ["L01"]),
        (b'[{"conversations": []},]', ["L01"]),
        (b"[" * 100_000, ["L01"]),
        (b"\xef\xbb\xbf[]", ["L02", "L01"]),
        (b'["caf\xe9"]', ["L02"]),
        (b'{"id": "1"}\n', ["L03"]),
        (b"null", ["L03"]),
        (b"[]", ["L04"]),
    ],
    ids=["empty", "lines", "comma", "depth", "byte-order mark", "latin-1", "one line", "null", "empty array"],
)
def test_file_rules(data, expected):
    """What stops the file as a whole is said of the file, and no record is judged."""
    assert codes(data) == [(code, None, None) for code in expected]


def test_lines_of_records_are_judged_too():
    """JSON Lines stop the run, which is said once of the file, and each of its records is judged as in an array."""
    turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]
    lines = [{"id": "1", "conversations": turns}, {"id": "2", "conversations": []}, {"id": "3", "conversations": turns}]
    data = "\n".join(map(json.dumps, lines)).encode()
    assert codes(data) == [("L01", None, None), ("L09", 1, None)]
    assert [(one.code, one.record) for one in _findings(data, None, lines=True)] == [("L09", 1)]


def test_utf8_is_reported_and_read_on():
    """Bytes beyond ASCII are one finding; the records behind them are still judged."""
    mix = json.dumps([said("Pourquoi ?", "Parce que ça."), said("Why?", "")], ensure_ascii=False).encode()
    assert codes(mix) == [("L02", None, None), ("W06", 1, 1)]


def test_missing_images_are_found_only_with_a_folder(tmp_path):
    """An image is looked for in the folder that is named, and not at all without one."""
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "1.jpg").write_bytes(b"")
    mix = [seen("<image>\nWhy?", "So."), seen("<image>\nWhy?", "So.", image="coco/2.jpg"), said("Why?", "So.")]
    assert codes(mix) == []
    assert codes(mix, tmp_path) == [("L08", 1, None)]


def test_a_file_is_read(tmp_path):
    """Findings come in the order of the file, and say where and what."""
    path = tmp_path / "mix.json"
    path.write_text(json.dumps([said("Why?", "", id="a"), said("Why?", id="b"), said("Why?", "So.")]))
    found = check_mix(path)
    assert [str(finding).split(";")[0] for finding in found] == [
        "record 0, turn 1: W06 an empty turn masks every label of the record",
        "record 1, turn 0: W05 the turns do not end with an answer",
    ]


def test_unreadable_paths_are_input_errors(tmp_path):
    """A file or a folder that is not there is named in one line."""
    with pytest.raises(InputError, match=r"missing\.json"):
        check_mix(tmp_path / "missing.json")
    with pytest.raises(InputError, match="expected a mix file"):
        check_mix(tmp_path)
    with pytest.raises(InputError, match="image_folder"):
        check_mix(tmp_path / "mix.json", images=tmp_path / "nowhere")


phrases = st.text(alphabet="abc 1.?\né中🙂", min_size=1, max_size=60).filter(str.strip)


@st.composite
def sound_records(draw):
    """A record as `recipe` writes it."""
    texts = draw(st.lists(phrases, min_size=2, max_size=8).filter(lambda texts: len(texts) % 2 == 0))
    if draw(st.booleans()):
        return seen(f"<image>\n{texts[0]}", *texts[1:])
    return said(*texts)


@given(st.lists(sound_records(), min_size=1, max_size=4))
def test_records_as_recipe_writes_them_are_sound(mix):
    """No text, number of turns or kind of record alone is a problem."""
    assert codes(mix) == []


def longer(turn, text):
    """Append to what a turn says."""
    turn["value"] += text


PLANTS = {
    "L05": lambda record: record["conversations"][-1].update(value=None),
    "L07": lambda record: record.update(image=[record.get("image")]),
    "L09": lambda record: record["conversations"].clear(),
    "L10": lambda record: record["conversations"][-1].update({"from": "GPT"}),
    "L11": lambda record: record["conversations"].insert(1, {"from": "human", "value": "And?"}),
    "L12": lambda record: longer(record["conversations"][-1], "\udc00"),
    "W03": lambda record: record["conversations"].insert(0, {"from": "gpt", "value": "Hello."}),
    "W05": lambda record: record["conversations"].pop(),
    "W06": lambda record: record["conversations"][-1].update(value=""),
    "W07": lambda record: longer(record["conversations"][-1], " a," * 1000),
    "W08": lambda record: record.update(image="/1.jpg"),
    "W09": lambda record: longer(record["conversations"][-1], "</s>"),
}


MARKED = st.lists(st.sampled_from(["<image>", "\n", "Why?"]), min_size=1, max_size=4).map("".join)


@given(st.lists(MARKED, min_size=1, max_size=4), st.sampled_from(["human", "gpt"]), st.booleans())
def test_a_wrong_number_of_marks_is_always_a_problem_of_llava(texts, first, image):
    """Where LLaMA-Factory counts other than one mark an image, LLaVA's own rules have found the record."""
    record = {"id": "1", "conversations": talk(*texts, first=first)} | ({"image": "1.jpg"} if image else {})
    if sum(text.count("<image>") for text in texts) != image:
        assert codes([record])


@given(sound_records(), st.sampled_from(sorted(PLANTS)))
def test_a_planted_problem_is_always_found(record, code):
    """Whatever the record, a problem planted in it is among the findings."""
    broken = copy.deepcopy(record)
    PLANTS[code](broken)
    assert code in {found for found, _, _ in codes([broken])}
