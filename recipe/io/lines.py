"""Lines of a text: only a line feed or a carriage return ends one."""

from __future__ import annotations

import re

_END = re.compile(r"\r\n|\n|\r")


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text; U+2028, U+0085, a form feed and the like stand in a line and do not end it.

    Parameters
    ----------
    text
        Any.

    Returns
    -------
    list of str
        Without their ends; no empty line for an end at the end of the text.

    Examples
    --------
    >>> lines_of("a\u2028b\r\n\nc\x0cd\n"), lines_of("")
    (['a\u2028b', '', 'c\x0cd'], [])
    """
    lines = _END.split(text)
    if not lines[-1]:
        lines.pop()
    return lines
