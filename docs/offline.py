"""What a built page would load from elsewhere: nothing, or the build fails."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "use": "href", "embed": "src"}
HARMLESS = {"canonical", "next", "prev", "search", "index", "author", "license"}  # links that load nothing
FAR = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)
STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)")


class _Page(HTMLParser):
    """Gathers the addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at what a tag loads."""
        given = dict(attrs)
        where = given.get(LOADS.get(tag, "")) or ""
        loads = tag != "link" or not HARMLESS & set((given.get("rel") or "").split())
        if loads and FAR.match(where):
            self.found.append(where)


def far_of_html(text: str) -> list[str]:
    """List the addresses elsewhere that a page loads when it is opened; links to follow do not count.

    Examples
    --------
    >>> far_of_html('<a href="https://a.org">x</a><script src="https://b.org/x.js"></script><img src="c.png">')
    ['https://b.org/x.js']
    """
    page = _Page()
    page.feed(text)
    return [*page.found, *far_of_style(text)]


def far_of_style(text: str) -> list[str]:
    """List the addresses elsewhere that a style sheet loads.

    Examples
    --------
    >>> far_of_style('@import "https://a.org/x.css"; p { background: url(b.png) }')
    ['https://a.org/x.css']
    """
    return STYLE.findall(text)


def reached_for(site: Path) -> list[str]:
    """List what the pages and style sheets of a built site load from elsewhere, with the file that does."""
    found = []
    for look, ending in ((far_of_html, "*.html"), (far_of_style, "*.css")):
        for file in sorted(site.rglob(ending)):
            found += [f"{file.relative_to(site)}: {where}" for where in look(file.read_text("utf-8"))]
    return found
