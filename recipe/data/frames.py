"""What the coordinates of boxes refer to, and how a box gets from one frame to another.

The frames are those of `recipe.data.media.FRAMES`: ``unit``, 0..1 of the image; ``square``, 0..1 of the square to which
LLaVA v1.5 pads it; ``thousand``, 0..1000 of the image; ``pixels``. A frame that is not known is never guessed.
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING

from recipe.data.boxes import FOUR, padded, unpadded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from recipe.data.boxes import Size

    Box = tuple[float, ...]

THOUSAND = 1000
SLACK = 0.01  # of a side: three decimals of a square, of a picture ten times as long as high, are a two-hundredth
DECIMALS = {"unit": 3, "square": 3, "thousand": 0, "pixels": 0}  # with which a converted box is written
_ONE = rf"\[{FOUR}\]"
BOXES = re.compile(
    rf"<box>\s*+\[\s*+(?P<wrapped>{_ONE}(?:\s*+,\s*+{_ONE})*+)\s*+\]\s*+</box>"  # as InternVL writes them
    rf"|(?P<bare>{_ONE})"
)
_BOX = re.compile(rf"\[({FOUR})\]")


def converted(box: Box, frame: str, wanted: str, size: Size | None = None) -> Box | None:
    """Convert a box from one frame to another, unrounded.

    Parameters
    ----------
    box
        x1, y1, x2, y2 in `frame`.
    frame, wanted
        Of `recipe.data.media.FRAMES`.
    size
        Width and height of the image in pixels, or None if they are not known.

    Returns
    -------
    tuple of float or None
        The box in `wanted`; None if that depends on a size that is not known.

    Examples
    --------
    >>> converted((0.0, 0.5, 1.0, 1.0), "unit", "thousand")
    (0.0, 500.0, 1000.0, 1000.0)
    >>> converted((0.25, 0.0, 0.75, 1.0), "square", "pixels", (50, 100))
    (0.0, 0.0, 50.0, 100.0)
    >>> converted((1.0, 2.0, 3.0, 4.0), "pixels", "unit") is None
    True
    """
    if frame == wanted:
        return box
    if size is None and needs_size(frame, wanted):
        return None
    return _from_unit(_to_unit(box, frame, size), wanted, size)


def needs_size(frame: str, wanted: str) -> bool:
    """Return whether a conversion depends on the size of the image.

    Examples
    --------
    >>> needs_size("thousand", "unit"), needs_size("pixels", "unit"), needs_size("square", "square")
    (False, True, False)
    """
    return frame != wanted and not {frame, wanted} <= {"unit", "thousand"}


def _to_unit(box: Box, frame: str, size: Size | None) -> Box:
    """Return shares of width and height."""
    if frame == "thousand":
        return tuple(v / THOUSAND for v in box)
    if size is None or frame == "unit":
        return box
    return unpadded(box, size) if frame == "square" else tuple(v / size[i % 2] for i, v in enumerate(box))


def _from_unit(box: Box, frame: str, size: Size | None) -> Box:
    """Return coordinates in a frame from shares of width and height."""
    if frame == "thousand":
        return tuple(v * THOUSAND for v in box)
    if size is None or frame == "unit":
        return box
    return padded(box, size) if frame == "square" else tuple(v * size[i % 2] for i, v in enumerate(box))


def fits(box: Box, frame: str, size: Size | None = None) -> bool:
    """Return whether four numbers can be a box in a frame: within the image, or the square around it.

    Examples
    --------
    >>> fits((0, 0, 1, 1), "unit"), fits((0, 0, 640, 2), "unit"), fits((0, 0, 640, 2), "pixels", (640, 480))
    (True, False, True)
    """
    most = _most(frame, size)
    return min(box) >= 0 and all(v <= most[i % 2] for i, v in enumerate(box))


def _most(frame: str, size: Size | None) -> tuple[float, float]:
    """Return the largest coordinates of a frame."""
    if frame == "pixels":
        return size or (inf, inf)
    return (THOUSAND, THOUSAND) if frame == "thousand" else (1.0, 1.0)


def within(box: Box, frame: str, size: Size | None = None) -> Box | None:
    """Return a converted box without what rounding has put beyond its frame; None if it lies further out.

    Parameters
    ----------
    box
        In `frame`.
    frame, size
        As for `converted`.

    Examples
    --------
    >>> within((-0.001, 0.5, 1.002, 1.0), "unit"), within((-0.3, 0.5, 1.0, 1.0), "unit")
    ((0.0, 0.5, 1.0, 1.0), None)
    """
    most = _most(frame, size)
    if any(not -SLACK <= v / most[i % 2] <= 1 + SLACK for i, v in enumerate(box)):
        return None
    return tuple(min(max(v, 0.0), most[i % 2]) for i, v in enumerate(box))


def has_boxes(text: str) -> bool:
    """Return whether a text holds four numbers in square brackets.

    Examples
    --------
    >>> has_boxes("the cat [0, .5, 1, 1]"), has_boxes("the cat [sic]")
    (True, False)
    """
    return BOXES.search(text) is not None


def rewritten(text: str, frame: str, size: Size | None, dress: Callable[[list[Box]], str | None]) -> str:
    """Replace the boxes of a text that fit its frame; other numbers in brackets stay as they are.

    Parameters
    ----------
    text
        A question or an answer.
    frame
        What its boxes refer to.
    size
        Of the image, or None.
    dress
        Returns what stands for a box, or for several in one InternVL mark, in the original frame; None to leave them.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> rewritten("cat [0, 0, 500, 1000], years [1, 2, 3, 4000]", "thousand", None, lambda boxes: f"{len(boxes)} box")
    'cat 1 box, years [1, 2, 3, 4000]'
    """

    def replace(match: re.Match[str]) -> str:
        """Return the replacement of one mark or bracket."""
        boxes = [tuple(float(one) for one in found[1].split(",")) for found in _BOX.finditer(match[0])]
        said = dress(boxes) if all(fits(box, frame, size) for box in boxes) else None
        return match[0] if said is None else said

    return BOXES.sub(replace, text)


def written(box: Iterable[float], frame: str) -> str:
    """Write a box as text: three decimals without trailing zeros for shares, whole numbers for the other frames.

    Examples
    --------
    >>> written((0.25, 0.0, 0.12345, 1.0), "unit"), written((12.6, 0.0, 99.5, 400.0), "pixels")
    ('[0.25, 0, 0.123, 1]', '[13, 0, 100, 400]')
    """
    digits = DECIMALS[frame]
    return f"[{', '.join(_number(v, digits) for v in box)}]"


def _number(value: float, digits: int) -> str:
    """Write a number with at most so many decimals, and no minus before a zero."""
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text
