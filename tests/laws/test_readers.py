"""Laws of every reader."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import good_sample, json_values

from recipe.config.registry import find, home, names
from recipe.stages.read import Context, Entry, Images

KEYS = st.sampled_from(["id", "image", "image_id", "conversations", "caption", "task_name", "prompt", "target"])
RECORDS = st.one_of(st.dictionaries(KEYS | st.text(max_size=5), json_values, max_size=5), good_sample())
CONTEXT = Context(Path("referring_qa.json"), "square", 0, Images(None, None))


@settings(max_examples=60)
@given(record=RECORDS)
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
@given(record=RECORDS)
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
