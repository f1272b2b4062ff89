"""A mark in the pages, images and reports that `recipe` writes, so that it replaces these and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from xxhash import xxh3_128_hexdigest

if TYPE_CHECKING:
    from pathlib import Path

PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_END = rb"( -->\n|....%s)\Z" % re.escape(PNG_END)
MARK = re.compile(rb"(<!-- |....tEXtSoftware\x00)made by recipe, ([0-9a-f]{32})" + _END, re.DOTALL)
NEAR = 120  # bytes from the end in which a mark stands


def marked(text: str) -> str:
    r"""Append the mark to HTML, SVG or XML: a comment with a checksum of all before it.

    Examples
    --------
    >>> marked("<html></html>")
    '<html></html>\n<!-- made by recipe, 667a5b40f07e2df69cba1e00e5f3912a -->\n'
    """
    text = f"{text.rstrip()}\n"
    return f"{text}<!-- {_words(text.encode()).decode()} -->\n"


def marked_png(image: bytes) -> bytes:
    """Insert the mark as a text chunk before the end of a PNG image.

    Examples
    --------
    >>> len(marked_png(PNG_END)) - len(PNG_END)
    69
    """
    before = image.removesuffix(PNG_END)
    chunk = b"tEXtSoftware\x00" + _words(before)
    length = (len(chunk) - len(b"tEXt")).to_bytes(4, "big")
    return before + length + chunk + crc32(chunk).to_bytes(4, "big") + PNG_END


def has_mark(path: Path) -> bool:
    """Return whether a file ends with a mark, and is as it was when it was marked."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    found = MARK.search(content, max(0, len(content) - NEAR))
    return found is not None and found[2].decode() == xxh3_128_hexdigest(content[: found.start()])


def _words(before: bytes) -> bytes:
    """Return the words of the mark of some bytes."""
    return f"made by recipe, {xxh3_128_hexdigest(before)}".encode()
