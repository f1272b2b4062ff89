"""JSON with a version: a valid file is read, and anything else is an InputError in one line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.errors import InputError
from recipe.io.formats import read_versioned

JSON = st.recursive(st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v))


@given(st.dictionaries(st.text(), JSON))
def test_an_object_of_the_version_is_read_as_it_was_written(tmp_path_factory, content):
    """Whatever the object holds beside its version is given back."""
    file = tmp_path_factory.mktemp("one") / "x.json"
    file.write_text(json.dumps(content | {"format": 3}))
    assert read_versioned(file, "a thing", 3, fix="make it again") == content | {"format": 3}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "x.json: cannot read the thing: .*; make it again"),
        (b"{", "x.json: cannot read the thing: .*; make it again"),
        (b"\xff", "x.json: cannot read the thing: .*; make it again"),
        (b"[" * 100_000, "x.json: cannot read the thing: .*; make it again"),
        (b"[]", "x.json: expected a thing of format 3, got a JSON list; make it again"),
        (b"{}", "x.json: expected a thing of format 3, got format=None; make it again"),
        (b'{"format": 4}', "x.json: expected a thing of format 3, got format=4; make it again"),
    ],
)
def test_anything_else_is_one_line(tmp_path, data, said):
    """A file that is missing, damaged, something else or of another version is refused in one line."""
    if data is not None:
        (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(InputError, match=f"{said}$") as caught:
        read_versioned(tmp_path / "x.json", "a thing", 3, fix="make it again")
    assert "\n" not in str(caught.value)
