"""Small tables for notebooks: all text escaped, with no style sheet and the notebook's colors."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LEFT, _RIGHT = "text-align:left", "text-align:right"
_NAME = "font-weight:normal;text-align:left"  # the first cell of a line names it


def table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML; numbers are aligned right, and all text is escaped.

    Parameters
    ----------
    head
        Names of the columns; the first column names the lines.
    lines
        One value a column: text, counts (int), shares (float, 0..1, written in percent), or None for an empty cell.

    Returns
    -------
    str
        One ``<table>``.

    Examples
    --------
    >>> table(["what", "n"], [["<b>", 1200]]).count("&lt;b&gt;"), "1,200" in table(["what", "n"], [["a", 1200]])
    (1, True)
    """
    rows = [list(line) for line in lines]
    sides = [_RIGHT if any(_is_number(row[at]) for row in rows) else _LEFT for at in range(len(head))]
    names = "".join(
        f'<th scope="col" style="{side}">{escape(name)}</th>' for name, side in zip(head, sides, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, range(len(row)), row, sides))}</tr>" for row in rows)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def facts(lines: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a table of two columns.

    Parameters
    ----------
    lines
        Name and value, text.

    Returns
    -------
    str
        One ``<table>``.
    """
    rows = (
        f'<tr><th scope="row" style="{_LEFT}">{escape(name)}</th><td style="{_LEFT}">{escape(value)}</td></tr>'
        for name, value in lines
    )
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _cell(at: int, value: object, side: str) -> str:
    """Return one cell; the first of a line is its name."""
    if at == 0:
        return f'<th scope="row" style="{_NAME}">{escape(_written(value))}</th>'
    return f'<td style="{side}">{escape(_written(value))}</td>'


def _is_number(value: object) -> bool:
    """Return whether a value is aligned right."""
    return isinstance(value, int | float)


def _written(value: object) -> str:
    """Format counts with commas and shares in percent."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value)
