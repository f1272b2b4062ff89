"""What samples show beside their texts, and which of them a trainer holds."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from builders import make_pool
from hypothesis import given
from hypothesis import strategies as st

from recipe.data.media import MEDIUM, Medium
from recipe.data.pool import Pool
from recipe.stages.tag import modality, trouble

KINDS = ("image", "video", "audio")
shown = st.lists(st.lists(st.sampled_from(KINDS), max_size=3), min_size=1, max_size=5)


def pool_of(samples):
    """A pool of one sample for each list of kinds, each with a mark for each."""
    rows = make_pool([f"Who {number}?" for number in range(len(samples))]).rows
    media = [[Medium(kind, f"{at}.{kind}")._asdict() for at, kind in enumerate(kinds)] for kinds in samples]
    first = [next((f"{at}.image" for at, kind in enumerate(kinds) if kind == "image"), None) for kinds in samples]
    marks = pl.Series(["".join(f"<{kind}>\n" for kind in kinds) + "Who?" for kinds in samples])
    turns = [[{"from": "human", "value": mark}, {"from": "gpt", "value": "A jay."}] for mark in marks]
    return Pool(
        rows.with_columns(
            pl.Series("media", media, dtype=pl.List(MEDIUM)),
            pl.Series("image", first, pl.String),
            turns=pl.Series(turns),
        )
    )


@given(shown)
def test_media_are_counted(samples):
    """The number of pictures is that of the record, and the modality is its only kind, or says that it has several."""
    found = modality.tag(pool_of(samples))
    assert found["n_images"].to_list() == [kinds.count("image") for kinds in samples]
    for kinds, name in zip(samples, found["modality"], strict=True):
        if len(set(kinds)) > 1:
            assert name == "several"
        elif kinds and set(kinds) != {"image"}:
            assert name == kinds[0]
        else:
            assert name == {0: "text", 1: "image"}.get(len(kinds), "images")


@pytest.mark.parametrize(
    ("holds", "most"),
    [
        ((), {"image": 1}),
        (("images",), {"image": 9}),
        (("images", "video"), {"image": 9, "video": 1}),
        (("images", "video", "videos", "audio"), {"image": 9, "video": 9, "audio": 9}),
    ],
)
def test_what_a_trainer_does_not_hold_is_rejected(holds, most):
    """More pictures, videos or sounds than a trainer holds are the problem `many_images`, and nothing else is."""
    samples = [["image"], ["image"] * 2, ["video"], ["video"] * 2, ["audio"], ["image", "video"], []]
    found = trouble.tag(pool_of(samples), holds=holds)["problem"].to_list()
    for kinds, problem in zip(samples, found, strict=True):
        fits = all(count <= most.get(kind, 0) for kind, count in Counter(kinds).items())
        mixed = {"image", "video"} <= set(kinds) and "videos" not in holds
        assert problem == (None if fits and not mixed else "many_images"), kinds


def test_what_reading_noted_is_a_flag():
    """A note of the reader stands among the flags of its sample, and of no other."""
    pool = pool_of([["image"], ["image"]])
    noted = pl.Series("noted", [["mark_added"], None], dtype=pl.List(pl.String))
    assert trouble.tag(Pool(pool.rows.with_columns(noted)))["flags"].to_list() == [["mark_added"], []]
