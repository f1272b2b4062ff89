"""The output of `recipe validate`: findings as a table or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from recipe.data.problems import PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from recipe.check import Finding, Fixed

SHOWN = 3  # places of each code


def show(out: Console, findings: Sequence[Finding], fixed: Fixed | None) -> None:
    """Print each code once: its meaning, its count, the first places, and what to do.

    Parameters
    ----------
    out
        Where to print.
    findings
        What was found.
    fixed
        How many records were kept, repaired and rejected, if a repaired copy was written.
    """
    if findings:
        table = Table("code", "severity", "what", "count", "first places", "what to do", box=None, padding=(0, 2, 1, 0))
        for code, found in grouped(findings).items():
            places = (f"{each.place}{each.detail and f' ({each.detail})'}" for each in found[:SHOWN])
            what, fix = PROBLEMS[code]
            cells = (code, found[0].severity, what, f"{len(found):,}", "\n".join(places), fix)
            table.add_row(*map(escape, cells))
        table.columns[0].no_wrap = table.columns[3].no_wrap = True
        out.print(table)
    out.print(f"{len(findings):,} finding{'' if len(findings) == 1 else 's'}")
    if fixed:
        out.print(f"kept {fixed.kept:,} records, {fixed.repaired:,} of them repaired; rejected {fixed.rejected:,}")
        if fixed.rejected:
            out.print(f"why: {escape(str(fixed.rejects))}")


def to_json(findings: Sequence[Finding], fixed: Fixed | None) -> str:
    """Return counts by code and every finding as JSON.

    Parameters
    ----------
    findings
        What was found.
    fixed
        How many records were kept, repaired and rejected, if a repaired copy was written.

    Returns
    -------
    str
        One object with `counts`, `findings` and `fixed`, in ASCII, with a line end.
    """
    listed = [
        {"code": f.code, "severity": f.severity, "record": f.record, "turn": f.turn, "message": f.message}
        for f in findings
    ]
    counts = {code: len(found) for code, found in grouped(findings).items()}
    summary = None
    if fixed:
        summary = {
            "kept": fixed.kept,
            "repaired": fixed.repaired,
            "rejected": fixed.rejected,
            "rejects": str(fixed.rejects),
        }
    return json.dumps({"counts": counts, "findings": listed, "fixed": summary}, indent=1) + "\n"


def grouped(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Group findings by code: first those that stop training, then those that corrupt it, then those of other loaders.

    Parameters
    ----------
    findings
        In any order.

    Returns
    -------
    dict
        Code -> its findings in the order given.
    """
    groups: dict[str, list[Finding]] = {}
    for each in findings:
        groups.setdefault(each.code, []).append(each)
    return {code: groups[code] for code in sorted(groups, key=lambda code: ("LTWSO".index(code[0]), code))}
