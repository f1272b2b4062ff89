"""Laws and examples of the frames of boxes: there and back again, and nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recipe.data.boxes import padded, unpadded
from recipe.data.frames import DECIMALS, converted, fits, has_boxes, needs_size, rewritten, within, written
from recipe.data.media import FRAMES

SIZES = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
FRAME = st.sampled_from(FRAMES)
SHARES = st.tuples(*[st.floats(0, 1)] * 4)
ULP = 1e-9


@given(SHARES, SIZES, FRAME, FRAME)
def test_there_and_back(shares, size, one, other):
    """A box in a frame is the same box after a way through any other frame."""
    box = converted(shares, "unit", one, size)
    back = converted(converted(box, one, other, size), other, one, size)
    assert back == pytest.approx(box, rel=ULP, abs=ULP)


@given(SHARES, SIZES, FRAME, FRAME, FRAME)
def test_every_way_leads_to_the_same_place(shares, size, one, by, other):
    """It does not matter by which frame a box gets to another."""
    box = converted(shares, "unit", one, size)
    direct = converted(box, one, other, size)
    assert converted(converted(box, one, by, size), by, other, size) == pytest.approx(direct, rel=ULP, abs=ULP)


@given(SHARES, SIZES)
def test_the_square_is_that_of_padding(shares, size):
    """To and from the padded square is what `padded` and `unpadded` do."""
    assert converted(shares, "unit", "square", size) == padded(shares, size)
    assert converted(shares, "square", "unit", size) == unpadded(shares, size)


@given(SHARES, SIZES, FRAME, FRAME)
def test_written_and_read_within_rounding(shares, size, one, other):
    """What is written of a converted box is within half a unit of its last decimal."""
    assume(one != other)
    box = converted(converted(shares, "unit", one, size), one, other, size)
    text = written(box, other)
    numbers = [float(number) for number in text.strip("[]").split(",")]
    half = 0.5 * 10 ** -DECIMALS[other] + 1e-6
    assert numbers == pytest.approx(list(box), abs=half)
    assert has_boxes(text)


@given(SHARES, FRAME, FRAME)
def test_without_a_size_nothing_is_guessed(shares, one, other):
    """Without a size a box is converted only where the size does not matter: then any size gives the same."""
    found = converted(shares, one, other)
    assert (found is None) == needs_size(one, other)
    if found is not None:
        assert all(converted(shares, one, other, size) == found for size in ((1, 1), (640, 480)))


@given(SHARES, SIZES, FRAME)
def test_a_box_fits_its_frame(shares, size, frame):
    """A box of an image lies in every frame, but for what rounding adds."""
    box = converted(shares, "unit", frame, size)
    assert fits(tuple(v * (1 - 1e-9) for v in box), frame, size)
    assert not fits(tuple(v + 5000 for v in box), frame, size)


@given(SHARES, SIZES, FRAME)
def test_what_is_within_stays(shares, size, frame):
    """A box in its frame stays as it is, one beyond it by a rounding is cut off there, and one further out is none."""
    box = converted(tuple(0.01 + 0.98 * v for v in shares), "unit", frame, size)
    assert within(box, frame, size) == pytest.approx(box)
    assert within(converted((-0.005, 0.2, 1.005, 0.9), "unit", "unit", size), "unit") == (0.0, 0.2, 1.0, 0.9)
    assert within(converted((-0.2, 0.2, 0.4, 0.9), "unit", "pixels", size), "pixels", size) is None


@pytest.mark.parametrize(
    ("box", "frame", "wanted", "size", "expected"),
    [
        ((0.25, 0.5, 0.75, 1.0), "unit", "square", (800, 600), (0.25, 0.5, 0.75, 0.875)),
        ((250, 500, 750, 1000), "thousand", "pixels", (800, 600), (200, 300, 600, 600)),
        ((200, 300, 600, 600), "pixels", "unit", (800, 600), (0.25, 0.5, 0.75, 1.0)),
        ((0.25, 0.5, 0.75, 0.875), "square", "thousand", (800, 600), (250, 500, 750, 1000)),
    ],
)
def test_by_hand(box, frame, wanted, size, expected):
    """An image of 800 x 600 is padded by 100 pixels above and below."""
    assert converted(box, frame, wanted, size) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a [0, 0, 500, 1000] b", "a 1 b"),
        ("<box>[[0, 0, 5, 10], [1, 1, 2, 2]]</box>", "2"),
        ("< box>[[0, 0, 5, 10]]</box>", "< box>[1]</box>"),
        ("[1, 2, 3]", "[1, 2, 3]"),
        ("[1, 2, 3, 4, 5]", "[1, 2, 3, 4, 5]"),
        ("[0, 0, 500, 1001]", "[0, 0, 500, 1001]"),
        ("[-1, 0, 500, 1000]", "[-1, 0, 500, 1000]"),
        ("(0, 0, 5, 10)", "(0, 0, 5, 10)"),
        ('{"bbox_2d": [1, 2, 3, 4]}', '{"bbox_2d": 1}'),
    ],
)
def test_what_is_a_box(text, expected):
    """Four numbers of the frame in square brackets are a box, also in InternVL's mark; nothing else is."""
    assert rewritten(text, "thousand", None, lambda boxes: str(len(boxes))) == expected


@given(st.text(alphabet="[]0123456789., <>/box-", max_size=60))
def test_any_text_is_rewritten_or_stays(text):
    """Any text comes back, and if nothing is put in the place of its boxes it is the same."""
    assert rewritten(text, "thousand", None, lambda _: None) == text
    assert isinstance(rewritten(text, "thousand", None, lambda _: ""), str)


def test_many_brackets_take_no_time():
    """A long text of brackets and numbers is searched in linear time."""
    assert not has_boxes("[" * 100_000 + "1, " * 100_000)
    rewritten("<box>[" + "[1, 2, 3, 4], " * 20_000, "thousand", None, lambda _: None)
