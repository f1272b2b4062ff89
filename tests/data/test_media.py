"""Names of pictures are spelled one way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.data.media import spelled


@given(st.text("ab:/.\\1-", max_size=30) | st.text(max_size=10))
def test_spelled_is_spelled(path):
    """Any text has one spelling, which is its own and says no less than its letters."""
    found = spelled(path)
    assert spelled(found) == found
    assert [one for one in found if one not in "./\\"] == [one for one in path if one not in "./\\"]


@pytest.mark.parametrize("path", ["1https://a.b/c.jpg", " http://a.b//c.jpg", "-x://", "a:////b", "://"])
def test_a_url_behind_something_ends(path):
    """A text that only looks like a URL further on is spelled too, and keeps the two slashes of it."""
    assert "://" in spelled(path)
