"""The data set of a sample: examples of each source's shape, and counts in an imitation of LLaVA's mix."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from builders import make_pool

from recipe import read_pool
from recipe.config.registry import find
from recipe.stages.tag.dataset import RULES

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
bench_svit = pytest.importorskip("bench_svit")

COCO = "coco/train2017/000000033471.jpg"
WORD = "\nAnswer the question using a single word or phrase."
LETTER = "\nAnswer with the option's letter from the given choices directly."
LONG = "The bus stands at the stop because people wait for it. " * 5


def talk(*texts):
    """Turns of human and gpt by turns."""
    return [(("human", "gpt")[i % 2], text) for i, text in enumerate(texts)]


def dataset(*texts, image=COCO, name="000000033471", task_name=None, extra=None):
    """The data set of one sample."""
    extra = None if extra is None else json.dumps(extra, separators=(",", ":"))
    pool = make_pool([talk(*texts)], image=[image], id=[name], task_name=[task_name], extra=[extra])
    return find("tag", "dataset")(pool)["dataset"][0]


EXAMPLES = {
    "a conversation": (("<image>\nWhat color is it?", "It is red.", "And that?", "Blue."), {}, "llava_conversation"),
    "one turn of it": (("<image>\nWhat color is it?", "It is red."), {}, "llava_conversation"),
    "a description": (("Describe the following image.\n<image>", LONG), {}, "llava_detail"),
    "what happens": (("<image>\nWhat do you think is going on in this snapshot?", LONG), {}, "llava_detail"),
    "reasons": (("<image>\nWhy might people wait here?", LONG), {}, "llava_reasoning"),
    "bare file name": (("What?\n<image>", LONG), {"image": "000000033471.jpg"}, "llava_reasoning"),
    "several questions": ((f"A?{WORD}", "Yes", "B?", "No", "C?", "2"), {}, "vqav2"),
    "one question": ((f"A?{WORD}", "vine"), {}, "okvqa"),
    "two questions": ((f"A?{WORD}", "vine", "B?", "tree"), {}, "okvqa"),
    "options": ((f"A?\nA. x\nB. y{LETTER}", "B"), {"name": "22jbM6gDxdaMaunuzgrsBB"}, "aokvqa"),
    "regions": (("Please provide a short description for this region: [0.1, 0.2, 0.3, 0.4].", "a cat"), {}, "refcoco"),
    "words to box": (
        (
            "Please provide the bounding box coordinate of the region this sentence describes: cat.",
            "[0.1, 0.2, 0.3, 0.4]",
        ),
        {},
        "refcoco",
    ),
    "regions of VG": (
        ("Please provide a short description for this region: [0.1, 0.2, 0.3, 0.4].", "a cat"),
        {"image": "vg/VG_100K/7.jpg"},
        "vg",
    ),
    "VG without regions": (("What is it?", "A cat."), {"image": "vg/VG_100K/7.jpg"}, None),
    "GQA": ((f"A?{WORD}", "yes"), {"image": "gqa/images/7.jpg", "extra": {"id": 7}}, "gqa"),
    "book covers": ((f"Who?{WORD}", "A. Nobody"), {"image": "ocr_vqa/images/7.jpg"}, "ocrvqa"),
    "captions": (
        ("<image>\nProvide a one-sentence caption for the provided image.\nReference OCR token: X", "A sign."),
        {"image": "textvqa/train_images/7.jpg"},
        "textcaps",
    ),
    "TextVQA": ((f"A?{WORD}", "x"), {"image": "textvqa/train_images/7.jpg"}, None),
    "captions of COCO": (("Provide a one-sentence caption for the provided image.", "A sign."), {}, None),
    "a model key": (("Hi", "Hello"), {"image": None, "extra": {"model": ""}}, "sharegpt"),
    "an id of ShareGPT": (("Hi", "Hello"), {"image": None, "name": "wNBG8Gp_0"}, "sharegpt"),
    "other text": (("Hi", "Hello"), {"image": None, "name": "alpaca_7"}, None),
    "SVIT": (
        ("What?", LONG),
        {"image": "vg/VG_100K/7.jpg", "name": "svit_complex_reasoning_7_2"},
        "svit_complex_reasoning",
    ),
    "Vision-Flan": (("What?", "x"), {"task_name": "birds+species"}, "vision_flan"),
    "another folder": ((f"A?{WORD}", "x"), {"image": "docvqa/7.png"}, None),
    "nothing said": ((), {}, None),
}


@pytest.mark.parametrize(("texts", "columns", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_by_hand(texts, columns, expected):
    """Each source is known by the shape that LLaVA's mix gives it, and what has no such shape by none."""
    assert dataset(*texts, **columns) == expected


def test_every_rule_decides_somewhere():
    """No rule is hidden by those before it."""
    named = {expected for *_, expected in EXAMPLES.values()}
    assert {rule.dataset for rule in RULES} - named == {
        "svit_conversation",
        "svit_detail_description",
        "svit_referring_qa",
    }


def test_counts_of_an_imitation(tmp_path):
    """In a small imitation of LLaVA's mix each source has as many samples as were put in."""
    counts = {source: 10 + 3 * i for i, source in enumerate(bench_svit.COUNTS)}
    bench_svit.write_mix(tmp_path / "mix.json", counts)
    pool = read_pool(tmp_path / "mix.json")
    assert Counter(find("tag", "dataset")(pool)["dataset"].to_list()) == counts


def test_svit_and_vision_flan_by_their_readers(real_data):
    """All samples of SVIT's files are labelled by task, and all of Vision-Flan's as Vision-Flan."""
    pool = read_pool(real_data / "svit_real")
    found = find("tag", "dataset")(pool)["dataset"].drop_nulls()
    assert found.str.starts_with("svit_").all()
    assert len(found)
    flan = read_pool(real_data / "vision_flan")
    assert find("tag", "dataset")(flan)["dataset"].unique().to_list() == ["vision_flan"]


def test_real_files_of_llava_shape(real_data):
    """Files of one source are labelled as that source, or as none if LLaVA's mix does not have it."""
    expected = {
        "gqa": {"gqa"},
        "aokvqa": {"aokvqa"},
        "ocrvqa": {"ocrvqa"},
        "refcoco": {"refcoco"},
        "okvqa": {"okvqa"},
        "docvqa": {None},
        "scienceqa": {None},
        "text_only": {None},
        "coco_captions": {None},
        "llava_instruct": {"llava_conversation"},
    }
    found = {
        name: set(find("tag", "dataset")(read_pool(real_data / "llava" / f"{name}.json"))["dataset"])
        for name in expected
    }
    assert found == expected
