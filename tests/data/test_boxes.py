"""Laws and examples of SVIT's boxes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.data.boxes import padded, unpadded
from recipe.stages.read._boxes import BadBox, NoSize, convert, has_box

SIZES = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
PAIRS = st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda pair: pair[0] < pair[1])
BOXES = st.tuples(PAIRS, PAIRS).map(lambda pairs: (pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]))
THOUSANDTHS = st.tuples(st.integers(0, 999), st.integers(0, 999), st.integers(1, 1000), st.integers(1, 1000)).filter(
    lambda box: box[0] < box[2] and box[1] < box[3]
)


def square(text, size=(200, 100)):
    """Convert for an image twice as wide as high, unless another size is given."""
    return convert(text, boxes="square", size=size)


def test_padding_by_hand():
    """800 x 600 pads to 800 x 800 with 100 pixels above: y of 0.5 is (300 + 100) / 800, x stays; portrait likewise."""
    assert padded((0.25, 0.5, 0.75, 1.0), (800, 600)) == (0.25, 0.5, 0.75, 0.875)
    assert padded((0.25, 0.0, 0.75, 0.1), (600, 800)) == (0.3125, 0.0, 0.6875, 0.1)


def test_the_pad_is_a_whole_number_of_pixels():
    """A difference of 5 pixels puts 2 of them first, as LLaVA's integer offset does: y of 0 is 2 / 10."""
    assert padded((0.0, 0.0, 1.0, 1.0), (10, 5)) == (0.0, 0.2, 1.0, 0.7)


@given(BOXES, SIZES)
def test_padding_keeps_a_box_a_box(box, size):
    """A padded box stays in 0..1 and its corners stay in order."""
    x1, y1, x2, y2 = padded(box, size)
    assert 0 <= x1 <= x2 <= 1
    assert 0 <= y1 <= y2 <= 1


@given(BOXES, SIZES)
def test_padding_can_be_undone(box, size):
    """Cutting the pad off again gives the box back, within rounding of a float on the longer side."""
    assert unpadded(padded(box, size), size) == pytest.approx(box, abs=1e-9)


def test_cutting_the_pad_off_by_hand():
    """10 x 5 lies on rows 2 to 7 of its square: y of 0.2 is its top, 0.7 its bottom, and 0.9 two rows below it."""
    assert unpadded((0.0, 0.2, 0.5, 0.7), (10, 5)) == pytest.approx((0.0, 0.0, 0.5, 1.0))
    assert unpadded((0.0, 0.2, 0.5, 0.9), (10, 5))[3] == pytest.approx(1.4)


@given(THOUSANDTHS, st.tuples(st.integers(50, 2000), st.integers(50, 2000)))
def test_what_is_written_is_the_padded_box(box, size):
    """The text of a moved box holds its four padded numbers within half a thousandth, without trailing zeros."""
    numbers = tuple(v / 1000 for v in box)
    text = square(f"[{', '.join(f'{v:g}' for v in numbers)}]", size)
    parts = text[1:-1].split(", ")
    assert [float(part) for part in parts] == pytest.approx(padded(numbers, size), abs=0.0005 + 1e-9)
    assert all(re.fullmatch(r"0|1|0\.\d{0,2}[1-9]", part) for part in parts)


@given(THOUSANDTHS)
def test_square_images_keep_the_text(box):
    """On a square image the text of a box is the same byte for byte."""
    text = f"a [{', '.join(f'{v / 1000:.3f}' for v in box)}] b"
    assert square(text, (64, 64)) == text


@given(st.lists(THOUSANDTHS, min_size=1, max_size=6))
def test_every_box_is_moved_once_at_its_place(boxes):
    """A text of several boxes, equal ones among them, converts as its boxes do one by one."""
    texts = [f"[{', '.join(f'{v / 1000:g}' for v in box)}]" for box in boxes + boxes]
    assert square(" and ".join(texts)) == " and ".join(square(text) for text in texts)


def test_a_box_that_equals_another_before_it_was_moved():
    """The first box moves onto the text of the second, which moves on: replacing text again and again would lose it."""
    assert square("A [0, 0, 1, 1] B [0, 0.25, 1, 0.75] A [0, 0, 1, 1]") == (
        "A [0, 0.25, 1, 0.75] B [0, 0.375, 1, 0.625] A [0, 0.25, 1, 0.75]"
    )


@pytest.mark.parametrize(
    "spelling",
    [
        "[0.1,0.2,0.5,0.75]",
        "[ 0.1 ,  0.2 , 0.5 , 0.75 ]",
        "[0.1,\n0.2,\n0.5,\n0.75]",
        "[.1, .2, .5, .75]",
        "[1e-1, 2E-1, 5e-1, 7.5e-1]",
        "[+0.1, +0.2, +0.5, +0.75]",
        "[0.100000, 0.200000, 0.500000, 0.750000]",
    ],
)
def test_other_spellings_are_read(spelling):
    """A sound box is moved however it is spelt, and kept as it is spelt: y becomes (v * 100 + 50) / 200."""
    assert has_box(spelling)
    assert square(f"it {spelling}.") == "it [0.1, 0.35, 0.5, 0.625]."
    assert convert(f"it {spelling}.", boxes="keep", size=None) == f"it {spelling}."


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("[0.12.3, 0.1, 0.5, 0.9]", "malformed"),
        ("[0.1, 0..2, 0.5, 0.9]", "malformed"),
        ("[., ., ., .]", "malformed"),
        ("[0.1, 0.2, 0.5]", "malformed"),
        ("[0.1, 0.2, 0.5, 0.9, 1]", "malformed"),
        ("[0.1 0.2 0.5 0.9]", "malformed"),
        ("[x1, y1, x2, y2]", "malformed"),
        ("[10%, 20%, 30%, 40%]", "malformed"),
        ("the cat [0.1, 0.2, 0.5, 0.9.", "malformed"),
        ("[0.1, 0.2 and [0.1, 0.2, 0.5, 0.9]", "malformed"),
        ("the cat (0.1, 0.2, 0.5, 0.9)", "malformed"),
        ("the cat 0.1, 0.2, 0.5, 0.9]", "malformed"),
        ("[0.1, 0.2, 0.5, 0.9] and [0.1, 0.2, 0.5]", "malformed"),
        ("[0.5, 0.2, 0.1, 0.9]", "reversed"),
        ("[0.1, 0.9, 0.5, 0.2]", "reversed"),
        ("[0.5, 0.2, 0.5, 0.9]", "no_area"),
        ("[0.1, 0.2, 0.5, 1.001]", "out_of_range"),
        ("[-0.1, 0.2, 0.5, 0.9]", "out_of_range"),
        ("[10, 20, 300, 400]", "out_of_range"),
    ],
)
@pytest.mark.parametrize("boxes", ["square", "keep"])
def test_a_bracket_that_should_be_a_box_is_refused(text, how, boxes):
    """What looks like a box and is none in 0..1 raises and says how, whether boxes are moved or kept."""
    with pytest.raises(BadBox, match=how):
        convert(text, boxes=boxes, size=(200, 100))


@pytest.mark.parametrize(
    "text", ["a wrod [sic]", "it [the cat] sat", "open [ and never closed", "(1, 2, 3)", "a, b, c]", "[]"]
)
def test_prose_in_brackets_is_no_box(text):
    """Brackets of ordinary prose stay, and need no size."""
    assert convert(text, boxes="square", size=None) == text
    assert not has_box(text)


def test_marks_are_removed_wherever_they_stand():
    """`<st>` and `<ed>` go, paired or not, and what they enclose stays."""
    assert convert("<st><st>a cat<ed> [0, 0, 1, 1] <ed>b<st>", boxes="keep", size=None) == "a cat [0, 0, 1, 1] b"


def test_a_box_needs_a_size_only_to_be_moved():
    """An unknown size stops a box that is to be moved, not one that is kept."""
    with pytest.raises(NoSize):
        convert("[0, 0, 1, 1]", boxes="square", size=None)
    assert convert("[0, 0, 1, 1]", boxes="keep", size=None) == "[0, 0, 1, 1]"
