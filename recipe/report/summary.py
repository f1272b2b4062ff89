"""A summary of a mix, as text and as tables for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recipe.data.html import facts, table
from recipe.data.overview import SHOWN, counts, listed, reject_table
from recipe.io.arrow import take

if TYPE_CHECKING:
    from recipe.data.selection import Selection

_SUMMED = ("task", "answer", "cluster", "n_yes", "n_no")
_COMPARED = ("task", "answer", "source")
_LISTED = 8  # values of a label in one line
_MISSED = 0.01  # share of a mix by which a number differs from the one wanted, from which on it is said
_NAMED = 4  # files that were passed over in one line
_FEW = 2  # samples, likewise: rounding is not worth a word


def summary_lines(mix: Selection) -> list[tuple[str, str]]:
    """Summarize a mix in a few lines.

    Parameters
    ----------
    mix
        Any; labels that its pool lacks are left out.

    Returns
    -------
    list of tuple
        Name and value: mix, tasks, answers, yes : no, clusters, certificate.
    """
    picked = _picked(mix)
    rejected = len(mix.pool) - int(mix.pool.eligible.sum())
    lines = [("mix", f"{len(mix):,} of {len(mix.pool):,} samples read, {rejected:,} rejected")]
    for name, title in (("task", "tasks"), ("answer", "answers")):
        if name in picked.columns:
            lines.append((title, listed(counts(picked[name]), _LISTED)))
    missed = _missed(mix, picked)
    passed = [f"{name} ({reason})" for name, reason in mix.pool.checkpoint.passed]
    aside = [
        ("passed over", "; ".join(passed[:_NAMED]) + (f"; {len(passed) - _NAMED} more" if passed[_NAMED:] else ""))
    ]
    return lines + _figures(mix, picked) + ([("not met", missed)] if missed else []) + (aside if passed else [])


def _missed(mix: Selection, picked: pl.DataFrame) -> str:
    """List what the balance asked for and the supply could not give, as text; empty if there is nothing."""
    found, balance = [], mix.recipe.balance
    if not mix.recipe.parts and balance.yes_share is not None and {"n_yes", "n_no"} <= set(picked.columns):
        yes, no = int(picked["n_yes"].sum()), int(picked["n_no"].sum())
        off = yes * (1 - balance.yes_share) - no * balance.yes_share
        if abs(off) > max(_MISSED * (yes + no), _FEW):
            found.append(f"yes {yes / (yes + no):.0%} of yes and no, wanted {balance.yes_share:.0%}")
    report = getattr(mix.quotas, "report", None)  # a mix that is only shown may have none
    if report is None:
        return "; ".join(found)
    far = report.filter((pl.col("quota") - pl.col("wanted")).abs() > max(_MISSED * len(mix), _FEW))
    for (margin,), values in far.group_by("margin", maintain_order=True):
        first = values.row(0, named=True)
        rest = f" and {values.height - 1} more" if values.height > 1 else ""
        found.append(f"{margin} {first['value']}: {first['quota']:,}, wanted {first['wanted']:,}{rest}")
    return "; ".join(found)


def summary_html(mix: Selection) -> str:
    """Return a mix compared with its pool as HTML: counts and shares by task, answer and source, and the rejects.

    Parameters
    ----------
    mix
        As for `summary_lines`.

    Returns
    -------
    str
        HTML tables, all text escaped.
    """
    picked, rows = _picked(mix, _COMPARED), mix.pool.rows
    figures = [line for line in summary_lines(mix) if line[0] not in ("tasks", "answers")]
    parts = [_compared(name, counts(picked[name]), counts(rows[name]), mix) for name in picked.columns]
    return "".join([facts(figures), *parts, reject_table(rows)])


def _picked(mix: Selection, names: tuple[str, ...] = _SUMMED) -> pl.DataFrame:
    """Return some labels of the picks, as far as the pool has them."""
    known = [name for name in names if name in mix.pool.rows.columns]
    return take(mix.pool.rows, known, mix.picks.rows) if known else pl.DataFrame()


def _figures(mix: Selection, picked: pl.DataFrame) -> list[tuple[str, str]]:
    """Return the lines of yes : no, clusters and certificate."""
    lines = []
    if "n_yes" in picked.columns and "n_no" in picked.columns:
        lines.append(("yes : no", f"{picked['n_yes'].sum():,} : {picked['n_no'].sum():,}"))
    if "cluster" in picked.columns:
        reached, all_of_them = (
            column.drop_nulls().n_unique() for column in (picked["cluster"], mix.pool.rows["cluster"])
        )
        lines.append(("clusters", f"{reached:,} of {all_of_them:,}"))
    certified = "none" if mix.certificate is None else f"at least {mix.certificate:.1%} of the best possible"
    return [*lines, ("certificate", certified)]


def _compared(name: str, ours: dict[str, int], theirs: dict[str, int], mix: Selection) -> str:
    """Return the counts of a label in the mix and in the pool as HTML, the most frequent of the pool first."""
    sizes = max(1, len(mix)), max(1, len(mix.pool))
    pairs = [(value, ours.get(value, 0), n) for value, n in theirs.items()]
    rest = [sum(side) for side in zip(*((mine, other) for _, mine, other in pairs[SHOWN:]), strict=True)]
    shown = [*pairs[:SHOWN], (f"{len(pairs) - SHOWN} others", *rest)] if rest else pairs
    lines = [(value, mine, mine / sizes[0], n, n / sizes[1]) for value, mine, n in shown]
    return table([name, "mix", "share", "pool", "share"], lines)
