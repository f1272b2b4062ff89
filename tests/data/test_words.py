"""The one notion of a word: what is a word, how it is hashed, and that case does not matter."""

import re
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from words_by_definition import LETTERS, hash_by_definition, words_by_definition

from recipe.data.words import words_of


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)), max_size=5))
def test_words_are_those_of_a_regular_expression(texts):
    """In ASCII, words are runs of letters, digits and underscores of the text in lower case, text by text."""
    words = words_of(pl.Series(texts, dtype=pl.String), letters=True)
    said = words.spelled(np.arange(len(words.hashes)))
    plain = [re.findall(r"\w+", text.lower(), re.ASCII) for text in texts]
    assert [said[a:b] for a, b in pairwise(words.starts)] == plain


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("?!", 0),
        ("Caf\u00e9 \u00c0 12", 3),
        ("\u56fe\u4e2d\u6709\u732b", 4),
        ("a\u2014b", 2),
        ("\U0001f600 x", 2),
    ],
)
def test_words_of_other_scripts(text, count):
    """Accents belong to words, each ideograph and each character beyond the basic plane is one, punctuation is none."""
    assert words_of(pl.Series([text])).counts.tolist() == [count]


@given(st.text(), st.text())
def test_words_hash_alike_in_any_case(one, other):
    """Whatever the text, upper-case ASCII changes no hash, and what follows changes no word before it."""
    lower = "".join(c.lower() if c.isascii() else c for c in one)
    words = words_of(pl.Series([one, lower, f"{one}. {other}"]))
    first, second, both = (words.hashes[a:b].tolist() for a, b in pairwise(words.starts))
    assert first == second == both[: len(first)]


@given(
    st.lists(st.text(st.sampled_from(LETTERS) | st.characters(exclude_categories=["Cs"]), max_size=40), max_size=5),
    st.booleans(),
)
def test_words_are_spelled_and_hashed_by_definition(texts, numbers):
    """Words, their letters and their hashes are those of a reading character by character in plain Python."""
    words = words_of(pl.Series(texts, dtype=pl.String), numbers=numbers, letters=True)
    expected = [words_by_definition(text, numbers=numbers) for text in texts]
    said = words.spelled(np.arange(len(words.hashes)))
    assert [said[a:b] for a, b in pairwise(words.starts)] == expected
    assert words.hashes.tolist() == [hash_by_definition(word) for text in expected for word in text]
    bare = words_of(pl.Series(texts, dtype=pl.String), numbers=numbers)
    assert (bare.hashes == words.hashes).all()
    assert not len(bare.letters)
