"""What a text's length is: words, and an estimate of its tokens."""

import math
import unicodedata

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recipe.data import tokens
from recipe.data.tokens import estimate_tokens, lengths


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
@example("Café — 20°")
@example("a\u0301 ½ ² Ⅷ ₹ 🙂 𠀀\u3000\x1c\x85_")
def test_token_estimate_against_a_count_by_character(text):
    """A pool and a checker count 1.25 a run of ASCII letters, 1.5 a letter or accent beyond, 1 any other sign."""
    words, total = "".join(c if c.isascii() and c.isalpha() else " " for c in text).split(), 0.0
    for c in text:
        if not c.isascii() and ord(c) <= 0xFFFF and unicodedata.ucd_3_2_0.category(c)[0] in "LM":
            total += 1.5
        elif not (c.isascii() and c.isalpha()) and (c in "\x1c\x1d\x1e\x1f" or not c.isspace()):
            total += 1.0
    wanted = total + 1.25 * len(words)
    assert estimate_tokens(text) == math.ceil(wanted)
    assert pl.DataFrame({"said": [text]}).select(lengths(pl.col("said"))[1]).item() == wanted


MARKS = ("<image>", "<image", "<im<image>age>")
PIECES = st.sampled_from([*MARKS, *"aZ9 -", "\t", "\x0c", "\x1c", "é", "中", "\u2028"])


@given(st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=20), st.integers(0, 3))
def test_many_texts_are_counted_as_few_are(texts, skipped):
    """The compiled kernel counts what the patterns count, in a part of a column too, with marks and other alphabets."""
    column = pl.Series("text", texts, dtype=pl.String)[skipped:]
    few = tokens._by_patterns(column.to_frame())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "MANY", 0)
        many = tokens.measured(column)
    assert [counts.tolist() for counts in many] == [counts.tolist() for counts in few]
