"""What pages take from the code: the folder is the registry, and a page asks for a passage by the name of a file.

A line ``.. made: knobs select`` (reStructuredText) or ``<!-- made: presets table -->`` (Markdown) is replaced by what
`made` of that file returns for the words behind its name. Nothing that the code knows is written by hand.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

MARK = re.compile(r"^(?:\.\. made: (?P<rst>.+)|<!-- made: (?P<md>.+) -->)$", re.MULTILINE)
DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent


def filled(page: str) -> str:
    """Return a page with every mark replaced by its passage.

    Examples
    --------
    >>> filled("a line without a mark")
    'a line without a mark'
    """
    return MARK.sub(lambda found: passage(*(found["rst"] or found["md"]).split()), page)


def passage(name: str, *words: str) -> str:
    """Write one passage."""
    text: str = import_module(f"made.{name}").made(*words)
    return text
