"""What the code says of tables and numbers: the columns of a pool, and the fields of statistics."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from numpydoc.docscrape import NumpyDocString

from recipe.data import pool
from recipe.report.stats import Side, Stats

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMN = re.compile(r'^    "(\w+)": .*?# (.+)$', re.MULTILINE)
CLASSES = {"side": Side, "stats": Stats}


def made(what: str) -> str:
    """Write the columns of a pool, or the fields of one class of statistics."""
    return "\n".join(_pool() if what == "pool" else _fields(CLASSES[what]))


def _pool() -> Iterator[str]:
    """Write a line a column: its name, its type, and what its comment says."""
    said = dict(COLUMN.findall(inspect.getsource(pool)))
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 18 18 64", "")
    for name, kind, what in (("Column", "Type", "What it is"), *((n, k, said[n]) for n, k in pool.SCHEMA.items())):
        cell = name if name == "Column" else f"``{name}``"
        yield from (f"   * - {cell}", f"     - {_type(kind)}", f"     - {what}")
    yield ""


def _type(kind: object) -> str:
    """Say a type of polars in short."""
    return {"List(Struct({'from': String, 'value': String}))": "list of {from, value}"}.get(str(kind), str(kind))


def _fields(kind: type) -> Iterator[str]:
    """Write the parameters of a class as a list of terms."""
    for entry in NumpyDocString(inspect.getdoc(kind) or "")["Parameters"]:
        yield ", ".join(f"``{name}``" for name in entry.name.split(", "))
        yield from (f"   {line}" for line in entry.desc)
        yield ""
