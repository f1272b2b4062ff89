"""Finds, numbers and draws the boxes in the turns of a sample."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from recipe.data.boxes import FOUR, unpadded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import Image, ImageDraw, ImageFont

    from recipe.data.boxes import Size

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

COLORS = (  # distinct to the color-blind, also on photos: after Okabe and Ito 2008, Color Universal Design
    *("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#882255", "#666633"),
)
_BOX = re.compile(rf"\[({FOUR})\]")
_CLAUSE = re.compile(r"[.!?;]\s|\n")  # the phrase before a box begins after this
_WORDS = 8  # of the phrase, at most


class Box(NamedTuple):
    """A box in a text.

    Parameters
    ----------
    number
        From 1, in the order of first occurrence; a box that occurs again keeps its number.
    corners
        x1, y1, x2, y2 as written, 0..1.
    phrase
        The words before it in its sentence, "" for none.
    """

    number: int
    corners: tuple[float, ...]
    phrase: str

    @property
    def color(self) -> str:
        """Its color; the ninth has that of the first."""
        return COLORS[(self.number - 1) % len(COLORS)]


def find_boxes(texts: Sequence[str]) -> list[Box]:
    """List the boxes of some texts, each once.

    A bracket is a box if it has four numbers in 0..1 that enclose an area; any other, as one in pixels, is text.

    Examples
    --------
    >>> find_boxes(["Find the cat.", "The black cat [0, .5, 0.5, 1] sleeps, [0,0.5,0.5,1.0]."])
    [Box(number=1, corners=(0.0, 0.5, 0.5, 1.0), phrase='The black cat')]
    """
    found: dict[tuple[float, ...], str] = {}
    for text in texts:
        end = 0
        for match, corners in _matches(text):
            found[corners] = found.get(corners) or _phrase(text[end : match.start()])
            end = match.end()
    return [Box(number, corners, phrase) for number, (corners, phrase) in enumerate(found.items(), 1)]


def split(text: str, boxes: Sequence[Box]) -> list[tuple[str, Box | None]]:
    """Split a text at its boxes: pieces of text, each with the box that it is, or None.

    Examples
    --------
    >>> split("a [0, 0, 1, 1]!", find_boxes(["a [0, 0, 1, 1]!"]))[1:]
    [('[0, 0, 1, 1]', Box(number=1, corners=(0.0, 0.0, 1.0, 1.0), phrase='a')), ('!', None)]
    """
    known = {box.corners: box for box in boxes}
    marked = [(match, known[corners]) for match, corners in _matches(text) if corners in known]
    edges = [0, *(edge for match, _ in marked for edge in match.span()), len(text)]
    marks = [None, *(mark for _, box in marked for mark in (box, None))]
    pieces = [(text[start:end], mark) for (start, end), mark in zip(pairwise(edges), marks, strict=True)]
    return [piece for piece in pieces if piece[0]]


def pixels(box: Box, size: Size, *, square: bool) -> tuple[float, ...] | None:
    """Return the pixel coordinates of a box on an image.

    Parameters
    ----------
    box
        With the coordinates in the text.
    size
        Width and height of the image in pixels, as stored.
    square
        Whether the coordinates refer to the square to which LLaVA-v1.5 pads the image, or to the image itself.

    Returns
    -------
    tuple of float or None
        x1, y1, x2, y2 in pixels, clipped to the image; None if all of it is on the padding.

    Examples
    --------
    >>> pixels(Box(1, (0.0, 0.25, 0.5, 0.75), ""), (200, 100), square=True)
    (0.0, 0.0, 100.0, 100.0)
    """
    shares = unpadded(box.corners, size) if square else box.corners
    x1, y1, x2, y2 = (min(max(v, 0.0), 1.0) * size[i % 2] for i, v in enumerate(shares))
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def draw_boxes(image: Image.Image, boxes: Sequence[Box], *, square: bool) -> Image.Image:
    """Draw boxes on a copy of an image, each in its color and with its number in a corner.

    Parameters
    ----------
    image
        RGB, of any size.
    boxes, square
        As for `pixels`.

    Returns
    -------
    PIL.Image.Image
        A copy of the same size.
    """
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415  an optional extra

    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    width = max(2, round(max(image.size) / 250))
    font = ImageFont.load_default(max(12, round(max(image.size) / 40)))
    for box in boxes:
        place = pixels(box, image.size, square=square)
        if place is None:
            continue
        x1, y1, x2, y2 = place[0], place[1], max(place[0], place[2] - 1), max(place[1], place[3] - 1)
        pen.rectangle((x1, y1, x2, y2), outline="white", width=width + 2)  # visible on dark images too
        pen.rectangle((x1, y1, x2, y2), outline=box.color, width=width)
        _tag(pen, box, (x1, y1), font, drawn.size)
    return drawn


def _tag(pen: ImageDraw.ImageDraw, box: Box, corner: tuple[float, float], font: Font, size: Size) -> None:
    """Draw the number of a box in its upper left corner, moved so that all of it is on the image."""
    number, pad = str(box.number), 3
    left, top, right, bottom = pen.textbbox((0, 0), number, font=font)
    wide, high = right - left + 2 * pad, bottom - top + 2 * pad
    x, y = max(0, min(corner[0], size[0] - wide)), max(0, min(corner[1], size[1] - high))
    pen.rectangle((x, y, x + wide, y + high), fill=box.color)
    pen.text((x + pad - left, y + pad - top), number, fill="white", font=font)


def _matches(text: str) -> Iterator[tuple[re.Match[str], tuple[float, ...]]]:
    """Yield the valid boxes of a text."""
    for match in _BOX.finditer(text):
        x1, y1, x2, y2 = corners = tuple(float(number) for number in match[1].split(","))
        if 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1:
            yield match, corners


def _phrase(before: str) -> str:
    """Return the last words before a box in its sentence."""
    words = _CLAUSE.split(before)[-1].replace("<image>", "").strip(" \t,:;()-").split()
    return " ".join(words if len(words) <= _WORDS else ["\u2026", *words[-_WORDS:]])
