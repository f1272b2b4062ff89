"""The tests that hold the laws, read from `tests/laws/`: each is one sentence."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from made import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def made() -> str:
    """Write the sentences of each file under what the file says it holds."""
    lines: list[str] = []
    for file in sorted((ROOT / "tests" / "laws").glob("test_*.py")):
        lines += [*_file(file), ""]
    return "\n".join(lines)


def _file(file: Path) -> Iterator[str]:
    """Write the sentences of one file."""
    tree = ast.parse(file.read_text("utf-8"))
    title = (ast.get_docstring(tree) or file.stem).splitlines()[0].rstrip(".")
    yield from (f"**{title}** (`tests/laws/{file.name}`)", "")
    for test in tree.body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            numbers = re.findall(r"\d+", test.name)
            which = f" *(law {', '.join(numbers)})*" if numbers else ""
            yield f"- {(ast.get_docstring(test) or test.name).splitlines()[0]}{which}"
