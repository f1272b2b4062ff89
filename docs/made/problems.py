"""Why a sample may not be selected: every code with what it means and what to do, read from `recipe.data.problems`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.data.problems import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = {
    "L": "Stops a LLaVA-v1.5 run",
    "W": "Trains silently wrong",
    "O": "Stops other loaders of the same file",
    "T": "Stops another trainer, or makes it drop the record",
    "S": "Trained silently wrong by another trainer",
    "": "recipe's own",
}


def made() -> str:
    """Write a table a group of codes."""
    return "\n".join(line for group in GROUPS for line in _table(group))


def group_of(code: str) -> str:
    """Return the letter that a numbered code begins with; nothing of a code that is a name."""
    return code[0] if code[1:].isdigit() else ""


def _table(group: str) -> Iterator[str]:
    """Write the codes of a group."""
    yield from (f"### {GROUPS[group]}", "", "| code | what it means | what to do |", "|---|---|---|")
    for code, problem in PROBLEMS.items():
        if group_of(code) == group:
            cells = (f"`{code}`", *(_plain(text) for text in problem))
            yield f"| {' | '.join(cells)} |"
    yield ""


def _plain(text: str) -> str:
    """Keep Markdown from reading marks in a text."""
    for mark in ("\\", "<", ">", "|", "*"):
        text = text.replace(mark, f"\\{mark}")
    return text
