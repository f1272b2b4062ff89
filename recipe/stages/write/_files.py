"""Files of records in JSON: one array with a record a line, or one record a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path


def write_array(lines: Iterable[str], path: str | PathLike[str]) -> int:
    """Write lines of JSON as one array, atomically, and return how many there are."""
    written = 0
    with atomic_write(path, "w") as file:
        for line in lines:
            file.write(",\n" if written else "[\n")
            file.write(line)
            written += 1
        file.write("\n]\n" if written else "[]\n")
    return written


def write_lines(lines: Iterable[str], path: str | PathLike[str]) -> int:
    """Write lines of JSON as JSON Lines, atomically, and return how many there are."""
    written = 0
    with atomic_write(path, "w") as file:
        for line in lines:
            file.write(line + "\n")
            written += 1
    return written


def first_record(path: Path) -> dict[str, Any]:
    """Return the first record of a file that `write_array` or `write_lines` wrote; empty if there is none."""
    with path.open(encoding="ascii") as file:
        line = next((line for line in file if line.startswith("{")), "{}")
    record: dict[str, Any] = json.loads(line.rstrip("\n").removesuffix(","))
    return record


def below(folder: str, name: str) -> str:
    """Return the path of a file in a folder; its name where there is none.

    Examples
    --------
    >>> below("", "mix.json"), below("/data", "mix.json"), below("/data/", "mix.json")
    ('mix.json', '/data/mix.json', '/data/mix.json')
    """
    return f"{folder.removesuffix('/')}/{name}" if folder else name
