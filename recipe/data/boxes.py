"""Boxes in texts, and their coordinates: on an image, or on the square to which LLaVA pads it."""

from __future__ import annotations

Size = tuple[int, int]  # width, height in pixels

_NUMBER = r"[+-]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?+\d++)?+"  # possessive: no shorter one can be followed
FOUR_NUMBERS = rf"{_NUMBER}(?:\s*+,\s*+{_NUMBER}){{3}}"
FOUR = rf"\s*+{FOUR_NUMBERS}\s*+"  # the content of the brackets of a box


def padded(box: tuple[float, ...], size: Size) -> tuple[float, ...]:
    """Convert a box on an image to the square to which LLaVA pads it, unrounded.

    LLaVA pastes the image at half the difference of its sides, rounded down to whole pixels.

    Parameters
    ----------
    box
        x1, y1, x2, y2 as shares of width and height, 0..1.
    size
        Width and height in pixels.

    Returns
    -------
    tuple of float
        x1, y1, x2, y2 as shares of the longer side, 0..1.

    Source: ``expand2square`` in ``llava/mm_utils.py`` of LLaVA v1.5.

    Examples
    --------
    >>> padded((0.0, 0.0, 1.0, 1.0), (50, 100))
    (0.25, 0.0, 0.75, 1.0)
    """
    side = max(size)
    return tuple((v * size[i % 2] + (side - size[i % 2]) // 2) / side for i, v in enumerate(box))


def unpadded(box: tuple[float, ...], size: Size) -> tuple[float, ...]:
    """Convert a box on the square to which LLaVA pads an image to the image: the inverse of `padded`.

    Parameters
    ----------
    box
        x1, y1, x2, y2 as shares of the longer side, 0..1.
    size
        Width and height in pixels.

    Returns
    -------
    tuple of float
        x1, y1, x2, y2 as shares of width and height; below 0 or above 1 where the box is on the padding.

    Examples
    --------
    >>> unpadded((0.25, 0.0, 0.75, 1.0), (50, 100))
    (0.0, 0.0, 1.0, 1.0)
    """
    side = max(size)
    return tuple((v * side - (side - size[i % 2]) // 2) / size[i % 2] for i, v in enumerate(box))
