"""What is printed on a terminal: text from files is escaped, and a closed output is an error like any other."""

from __future__ import annotations

import re

from rich.console import Console
from rich.markup import escape

from recipe.errors import RecipeError

CLOSED = "the output was closed before all of it was printed"
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


def named(path: object) -> str:
    r"""Escape the name of a file for a terminal, with its tabs and line breaks.

    Examples
    --------
    >>> named("a\nb.json")
    'a\\x0ab.json'
    """
    return shown(str(path).replace("\t", r"\x09").replace("\n", r"\x0a"))


class Printer(Console):
    """A console whose output may be closed by its reader, as by `head`."""

    def on_broken_pipe(self) -> None:
        """Raise an error, which is reported in one line; rich would exit and print nothing."""
        raise RecipeError(CLOSED)
