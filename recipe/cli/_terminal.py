"""Text from files, escaped before it is printed on a terminal."""

from __future__ import annotations

import re

from rich.markup import escape

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and line break


def shown(text: str) -> str:
    r"""Escape a text for a terminal: its markup, and its control characters as ``\x1b``.

    Parameters
    ----------
    text
        Any text, also untrusted.

    Returns
    -------
    str
        A text that `rich` prints literally.

    Examples
    --------
    >>> shown("[bold]" + chr(27))
    '\\[bold]\\x1b'
    """
    return escape(CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text))
