"""Text from files, made harmless before it is shown on a terminal."""

from __future__ import annotations

import re

from rich.markup import escape

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but tab and line break


def shown(text: str) -> str:
    r"""Make a text harmless to a terminal: no markup, and no control character that is not spelled out.

    Parameters
    ----------
    text
        Any, as from a file that someone else wrote.

    Returns
    -------
    str
        What `rich` prints as it was written.

    Examples
    --------
    >>> shown("[bold]" + chr(27))
    '\\[bold]\\x1b'
    """
    return escape(CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text))
