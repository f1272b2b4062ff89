"""Only a line feed or a carriage return ends a line."""

import io

from hypothesis import given
from hypothesis import strategies as st

from recipe.io.lines import lines_of

ODD = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"


@given(st.text(alphabet=f"ab \n\r{ODD}"))
def test_lines_are_those_of_a_text_file(text):
    """Lines are those that Python's text files have, which know no other ends."""
    read = [line.removesuffix("\n") for line in io.StringIO(text, newline=None)]
    assert lines_of(text) == read
