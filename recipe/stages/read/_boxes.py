"""Boxes in SVIT's texts: found, checked and converted to the padded square image, in place and in one pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from recipe.data.boxes import FOUR, FOUR_NUMBERS, padded

if TYPE_CHECKING:
    from recipe.data.boxes import Size

_BRACKET = re.compile(
    rf"\[(?P<sound>{FOUR})\]"  # a box
    r"|\[(?P<inner>[^\[\]]*)(?P<closed>\])?"  # any other square bracket
    rf"|\({FOUR}\)|(?<!\d){FOUR_NUMBERS}\s*\]"  # a box in round brackets, or without its opening bracket
)
_DIGIT = re.compile(r"\d")  # text in brackets, such as [sic], has none
_SIGNS = re.compile(r"[\s.,]*")
_STARTS_NUMERIC = re.compile(r"\s*[+-]?[.\d]")  # a bracket that is never closed is followed by text
_TAGS = re.compile(r"<st>|<ed>")


class BadBox(ValueError):  # noqa: N818  named after its cause
    """A bracket that should contain a box and does not."""


class NoSize(ValueError):  # noqa: N818  as above
    """A box that cannot be padded because the size of its image is unknown."""


def has_marks(text: str) -> bool:
    """Return whether a text contains one of SVIT's marks around a phrase with a box."""
    return _TAGS.search(text) is not None


def has_box(text: str) -> bool:
    """Return whether a text contains a bracket with four numbers.

    Examples
    --------
    >>> has_box("the cat [0, .5, 1, 1]"), has_box("the cat [sic]")
    (True, False)
    """
    return any(match["sound"] for match in _BRACKET.finditer(text))


def convert(text: str, *, boxes: Literal["square", "keep"], size: Size | None) -> str:
    """Remove SVIT's marks `<st>` and `<ed>`, and convert every box to the square to which LLaVA pads its image.

    Parameters
    ----------
    text
        A question or an answer.
    boxes
        ``"square"`` converts the boxes, ``"keep"`` leaves their text as it is. Both check them.
    size
        Width and height of the image in pixels, or None if unknown.

    Returns
    -------
    str
        The text, with every box converted in place. On a square image boxes stay as they are written; converted boxes
        have at most three decimals and no trailing zeros, as SVIT writes them.

    Raises
    ------
    BadBox
        If a bracket should contain a box but has no valid one, in 0..1 and with an area; the argument says why.
    NoSize
        If a box is to be converted and the size is unknown.

    Source: SVIT's LLaVA-format files; ``expand2square`` in ``llava/mm_utils.py`` of LLaVA v1.5.

    Examples
    --------
    >>> convert("<st>cat<ed> [0, 0, 0.5, 1]", boxes="square", size=(200, 100))
    'cat [0, 0.25, 0.5, 0.75]'
    """

    def rewrite(match: re.Match[str]) -> str:
        """Return the replacement of one bracket."""
        if match["sound"] is None:
            if match["inner"] is None or _should_be_box(match["inner"], closed=match["closed"] is not None):
                raise BadBox("malformed")
            return match[0]
        box = _checked(match["sound"])
        if boxes == "keep":
            return match[0]
        if size is None:
            raise NoSize
        return match[0] if size[0] == size[1] else _written(padded(box, size))

    return _TAGS.sub("", _BRACKET.sub(rewrite, text))


def _should_be_box(inner: str, *, closed: bool) -> bool:
    """Return whether a bracket that is not a box was meant as one."""
    if not closed:
        return _STARTS_NUMERIC.match(inner) is not None
    signs = ("." in inner or "," in inner) and _SIGNS.fullmatch(inner) is not None
    return signs or _DIGIT.search(inner) is not None


def _checked(inner: str) -> tuple[float, ...]:
    """Return the four numbers of a box, or raise."""
    x1, y1, x2, y2 = box = tuple(float(number) for number in inner.split(","))
    if not (min(box) >= 0 and max(box) <= 1):
        raise BadBox("out_of_range")
    if x1 > x2 or y1 > y2:
        raise BadBox("reversed")
    if x1 == x2 or y1 == y2:
        raise BadBox("no_area")
    return box


def _written(box: tuple[float, ...]) -> str:
    """Write a box as SVIT does: three decimals, no trailing zeros."""
    return f"[{', '.join(f'{v + 0.0:.3f}'.rstrip('0').rstrip('.') for v in box)}]"
