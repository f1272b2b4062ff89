"""Samples that are shown: one line each, whole where it fits."""

import numpy as np
from builders import make_pool
from hypothesis import given
from hypothesis import strategies as st

from recipe.data.samples import excerpts

words = st.lists(st.sampled_from(["a", "bee", "<image>", "\u732b", "\n", "  "]), max_size=8).map("".join)


@given(words, words, st.integers(1, 12), st.integers(1, 12))
def test_an_excerpt_is_whole_where_it_fits(asked, told, most, least):
    """A text on one line, without marks, is shown whole up to its limit; beyond it ends in a sign for the rest."""
    pool = make_pool([[("human", asked), ("gpt", told)]])
    shown = excerpts(pool.rows, np.array([0]), question=most, answer=least).row(0)
    for text, limit, line in ((asked, most, shown[0]), (told, least, shown[1])):
        whole = " ".join(text.replace("<image>", " ").split())
        assert line == (whole if len(whole) <= limit else whole[: limit - 1] + "\u2026")
