"""Texts of a megabyte that would take hours where time grows with the square of their length, and what they become."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recipe import read_pool, score_pool
from recipe.check.trainer import fix
from recipe.stages.read import _boxes, _entry

LONG = 10**6
LIMIT = 10  # seconds for reading and scoring a text
TEXTS = {
    "a word": "word " * (LONG // 5),
    "marks": "<image>" * 100_000,
    "marks in marks": "<im" * 50_000 + "<image>" + "age>" * 50_000,
    "opened": "[" * 500_000,
    "closed": "[]" * 250_000,
    "numbers": "0.1, " * (LONG // 5),
    "boxes": "[0.1, 0.2, 0.3, 0.4]" * 20_000,
    "one number": "1" * LONG,
    "dots": "[" + " ." * (LONG // 2) + "x]",
    "a letter": "a" * LONG,
    "spaces": " " * LONG,
    "spaces in a bracket": "[" + " " * LONG,
    "lines": "\n" * LONG,
    "control": "".join(map(chr, range(1, 32))) * (LONG // 31),
    "zeros": "\0" * LONG,
    "surrogates": "\ud800" * (LONG // 2),
    "letters that grow": "\u0130" * (LONG // 2),
    "words": " ".join(f"w{number}" for number in range(150_000)),
    "yes": "Yes, " * (LONG // 5),
    "requests": "describe the image " * (LONG // 19),
    "boilerplate": "As an AI language model, " * (LONG // 25),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_long_text_is_read_and_labelled(name, tmp_path):
    """As question and as answer, of SVIT and of LLaVA, a megabyte takes seconds, and ends in a pool."""
    text = TEXTS[name]
    sides = [(text, "Yes."), ("Is it so?", text), ("Is it?", "No.")]
    talks = [[{"from": "user", "value": ask}, {"from": "gpt", "value": tell}] for ask, tell in sides]
    svit = [{"image_id": at + 1, "conversations": [{"content": talk}]} for at, talk in enumerate(talks)]
    (tmp_path / "referring.json").write_text(json.dumps(svit))
    human = {"user": "human", "gpt": "gpt"}
    llava = [[{"from": human[turn["from"]], "value": turn["value"]} for turn in talk] for talk in talks]
    (tmp_path / "mix.json").write_text(
        json.dumps([{"id": str(at), "image": "a.jpg", "conversations": talk} for at, talk in enumerate(llava)])
    )
    start = time.perf_counter()
    pool = score_pool(read_pool([tmp_path / "referring.json", tmp_path / "mix.json"]), score=[])
    assert len(pool) == 6
    assert time.perf_counter() - start < LIMIT * 4


def _repeatedly(text):
    """Remove marks until none is left, as it is defined."""
    while "<image>" in text:
        text = text.replace("<image>", "")
    return text.strip()


@given(st.lists(st.sampled_from(["<image>", "<im", "age>", "<", ">", "image", " ", "a"]), max_size=12).map("".join))
@example("<im<im<image>age>age> a")
def test_marks_in_marks_are_removed_as_by_repetition(text):
    """One pass gives what repeated replacement gives."""
    assert _entry._without_mark(text) == (_repeatedly(text) if "<image>" in text else text)


NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
FOUR = rf"\s*{NUMBER}(?:\s*,\s*{NUMBER}){{3}}\s*"
OLD = re.compile(rf"\[(?P<sound>{FOUR})\]|\[(?P<inner>[^\[\]]*)(?P<closed>\])?|\({FOUR}\)|{FOUR}\]")
OLD_NUMERIC = re.compile(r"\d|^[\s.,]*[.,][\s.,]*$")
PARTS = ["[", "]", "(", ")", "1", "0.5", ".", ",", ", ", " ", "e1", "-", "1,2,3,4", "a", "\n"]


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
@example("12, 0.5,1e1, 4]")
@example("1.0.5, 1, 1, 1 ]")
def test_brackets_are_found_as_by_the_plain_patterns(text):
    """The patterns that read a long run once find the same brackets, good and bad, as those that read it again."""
    new = [(found["sound"], found["inner"], found["closed"]) for found in _boxes._BRACKET.finditer(text)]
    assert new == [(found["sound"], found["inner"], found["closed"]) for found in OLD.finditer(text)]
    assert _boxes._should_be_box(text, closed=True) == (OLD_NUMERIC.search(text) is not None)


@given(st.lists(st.sampled_from(["<image>", "<image>", " ", "\n", "a", "<"]), max_size=12).map("".join))
def test_runs_of_marks_are_found_as_by_the_plain_patterns(text):
    """A run of marks and white space is found whole, anywhere and at the edges."""
    plain = r"\s*(?:<image>\s*)+"
    assert fix._MARKS.sub("|", text) == re.sub(plain, "|", text)
    assert fix._MARKS_AT_EDGE.sub("|", text) == re.sub(rf"\A{plain}|{plain}\Z", "|", text)


@pytest.mark.parametrize("text", [" " * LONG, "a" + "<image>" * 100_000 + "b", "<image>" + " " * LONG + "b"])
def test_long_runs_of_marks_are_repaired_in_seconds(text):
    """Repair reads a long run once."""
    start = time.perf_counter()
    fix._MARKS_AT_EDGE.sub("", text)
    fix._unmarked(text)
    assert time.perf_counter() - start < LIMIT
