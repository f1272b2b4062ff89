"""A mark in the pages, images and reports that `recipe` writes, so that it replaces these and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from pathlib import Path

MARK = b"made by recipe"
NEAR = 200  # bytes from the end in which a mark stands
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def marked(text: str) -> str:
    r"""Append the mark as a comment to HTML, SVG or XML.

    Examples
    --------
    >>> marked("<html></html>\n")
    '<html></html>\n<!-- made by recipe -->\n'
    """
    return f"{text.rstrip()}\n<!-- {MARK.decode()} -->\n"


def marked_png(image: bytes) -> bytes:
    """Insert the mark as a text chunk before the end of a PNG image.

    Examples
    --------
    >>> len(marked_png(PNG_END)) - len(PNG_END)
    35
    """
    chunk = b"tEXtSoftware\x00" + MARK
    length = len(chunk) - len(b"tEXt")
    return image.removesuffix(PNG_END) + length.to_bytes(4, "big") + chunk + crc32(chunk).to_bytes(4, "big") + PNG_END


def has_mark(path: Path) -> bool:
    """Return whether a file has the mark near its end."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - NEAR))
            return MARK in file.read()
    except OSError:
        return False
