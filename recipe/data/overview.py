"""A summary of a table of samples: counts of short columns, never the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recipe.data.html import facts, table
from recipe.data.problems import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 14  # values of a column that are listed; the others are summed


def counts(values: pl.Series) -> dict[str, int]:
    """Count the values of a column, the most frequent first, ties by name; nulls are not counted.

    Examples
    --------
    >>> counts(pl.Series(["b", "a", None, "b"]))
    {'b': 2, 'a': 1}
    """
    found = values.drop_nulls().cast(pl.String).value_counts(name="n").rename({values.name: "value"})
    return dict(found.sort("n", "value", descending=[True, False]).select("value", "n").iter_rows())


def rejects(rows: pl.DataFrame) -> dict[str, int]:
    """Count the samples that may not be selected, by code."""
    return counts(rows["problem"].drop_nulls().str.split(":").list.first())


def meaning(code: str) -> str:
    """Return the meaning of a code and what to do; "" if it is not known.

    Examples
    --------
    >>> meaning("L06")
    'the record holds no words at all: remove the record'
    """
    problem = PROBLEMS.get(code)
    return f"{problem.what}: {problem.fix}" if problem else ""


def reject_table(rows: pl.DataFrame) -> str:
    """Return the rejected samples by code as HTML, with meanings; "" if there are none."""
    found = rejects(rows)
    return (
        table(["rejected", "samples", "why, and what to do"], [(c, n, meaning(c)) for c, n in found.items()])
        if found
        else ""
    )


def listed(found: dict[str, int], most: int = SHOWN) -> str:
    """Return the first counts in one line.

    Examples
    --------
    >>> listed({"caption": 1200, "ocr": 7, "other": 1}, most=2)
    'caption 1,200, ocr 7, and 1 more'
    """
    shown = [f"{value} {n:,}" for value, n in list(found.items())[:most]]
    return ", ".join([*shown, f"and {len(found) - most} more"] if len(found) > most else shown)


def pool_lines(rows: pl.DataFrame, shape: Sequence[int] | None) -> list[tuple[str, str]]:
    """Summarize a pool.

    Parameters
    ----------
    rows
        The rows of a pool.
    shape
        Of its vectors; None if it has none.

    Returns
    -------
    list of tuple
        Name and value: samples, sources, tasks and clusters if they are labelled, vectors, rejected.
    """
    refused = rows["problem"].len() - rows["problem"].null_count()
    lines = [
        ("pool", f"{rows.height:,} samples, {rows.height - refused:,} eligible"),
        ("sources", listed(counts(rows["source"]))),
    ]
    if "task" in rows.columns:
        lines.append(("tasks", listed(counts(rows["task"]))))
    if "cluster" in rows.columns:
        lines.append(("clusters", f"{rows['cluster'].drop_nulls().n_unique():,}"))
    lines.append(("vectors", "none" if shape is None else " x ".join(f"{side:,}" for side in shape)))
    return [*lines, ("rejected", listed(rejects(rows)) or "none")]


def pool_html(rows: pl.DataFrame, shape: Sequence[int] | None) -> str:
    """Return a summary of a pool as HTML tables, with the meanings of the codes of rejected samples."""
    lines = [line for line in pool_lines(rows, shape) if line[0] not in ("sources", "tasks", "rejected")]
    columns = [name for name in ("source", "task") if name in rows.columns]
    tables = [table([name, "samples", "share"], _shares(counts(rows[name]), rows.height)) for name in columns]
    return "".join([facts(lines), *tables, reject_table(rows)])


def _shares(found: dict[str, int], total: int) -> list[tuple[str, int, float]]:
    """Return the first counts with their shares, and the others as one line."""
    lines = [(value, n, n / total) for value, n in list(found.items())[:SHOWN]]
    rest = sum(list(found.values())[SHOWN:])
    return [*lines, (f"{len(found) - SHOWN} others", rest, rest / total)] if rest else lines
