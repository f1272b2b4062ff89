"""Make the tables of README.md from the JSON files in results/.

    python benchmarks/tables.py            # rewrites the text between the markers
    python benchmarks/tables.py --check    # fails if a table does not match its files

A table stands between `<!-- table: NAME.json -->`, or `<!-- table: job_*.json -->` for a row of each of several files,
and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import bench_compare
import bench_read
import bench_select
from _machine import AUTO, table

HERE = Path(__file__).parent
MARKED = re.compile(r"(<!-- table: (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
JOB = {
    "samples": ",d",
    "picked": ",d",
    "seconds": ",.0f",
    "samples_per_second": ",.0f",
    "growth": ".2f",
    "peak_gb": ".2f",
    "anonymous_gb": ".2f",
    "engine": "",
    "cache": "",
}


def made(pattern: str) -> str:
    """Return the table of the results that a pattern names."""
    files = sorted((HERE / "results").glob(pattern))
    if not files:
        return "(not measured yet)"
    results = [json.loads(file.read_text(encoding="ascii")) for file in files]
    if "stages" in results[0]:
        return jobs(sorted(results, key=lambda one: (one["samples"], one["total_seconds"])))
    if "compare" in pattern:
        return "\n\n".join(bench_compare.tables(one) for result in results for one in result)
    rows = [row for result in results for row in (result if isinstance(result, list) else [result])]
    kind = pattern.partition("_")[0].partition(".")[0]
    columns = {"select": bench_select.COLUMNS, "read": bench_read.COLUMNS}.get(kind) or _columns(rows)
    columns = {key: spec for key, spec in columns.items() if any(row.get(key) is not None for row in rows)}
    absent = [f"{name} did not run: {reason}." for name, reason in rows[0].get("skipped", {}).items()]
    return "\n\n".join(filter(None, [_caption(rows[0]), table(rows, columns), *absent]))


def jobs(results: list[dict[str, Any]]) -> str:
    """Return a table with a row for each job, and one with the share of each stage.

    `growth` is how much longer a job took than the one before it, over what n log n would ask: 1 or less is no worse.
    """
    rows, before = [], None
    for one in results:
        cost = one["total_seconds"] / (one["samples"] * math.log(one["samples"]))
        larger = before is not None and one["samples"] > 2 * before[0]
        rows.append(
            {
                **{key: one[key] for key in ("samples", "picked", "peak_gb")},
                "seconds": one["total_seconds"],
                "samples_per_second": one["samples"] / one["total_seconds"],
                "growth": cost / before[1] if before and larger else None,
                "anonymous_gb": one["peak_anonymous_gb"],
                "engine": one["engine"] or "auto",
                "cache": "on" if one["cache"] else "off",
            }
        )
        before = (one["samples"], cost)
    stages, heads = [], _heads(results)
    for name in dict.fromkeys(stage["name"] for one in results for stage in one["stages"]):
        found = [{stage["name"]: stage for stage in one["stages"]}.get(name) for one in results]
        parts = [stage and f"{stage['seconds']:.1f} s, {stage['share']:.0%}" for stage in found]
        stages.append({"stage": name, **dict(zip(heads, parts, strict=True))})
    by_stage = table(stages, dict.fromkeys(stages[0], ""))
    return f"{_caption(results[0])}\n\n{table(rows, JOB)}\n\nSeconds and share of each stage:\n\n{by_stage}"


def _heads(results: list[dict[str, Any]]) -> list[str]:
    """Name each job by its size, by what else was asked, and by a number where that is not enough."""
    heads: list[str] = []
    for one in results:
        asked = ", ".join(filter(None, (one["engine"], "cache" if one["cache"] else None)))
        head = f"{one['samples']:,}" + f" ({asked})" * bool(asked)
        again = sum(other.partition(" #")[0] == head for other in heads)
        heads.append(f"{head} #{again + 1}" if again else head)
    return heads


def _columns(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Choose a format for each plain value of results that this file does not know."""
    plain = {key: value for row in reversed(rows) for key, value in row.items() if isinstance(value, str | int | float)}
    keys = [key for key in rows[0] if key in plain] + [key for key in plain if key not in rows[0]]
    return {key: "" if isinstance(plain[key], str | bool) else AUTO for key in keys}


def _caption(row: dict[str, Any]) -> str:
    """Return what was measured, where, and with which versions."""
    shape = ", ".join(f"{key} = {row[key]:,}" for key in ("n", "k", "d") if key in row)
    shape = shape or (f"{row['mb']:,.0f} MB, {row['samples']:,} samples" if "mb" in row else "")
    machine = row.get("machine", {})
    where = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']:.0f} GB" if machine else ""
    versions = ", ".join(f"{name} {found}" for name, found in machine.get("versions", {}).items())
    python = f"Python {machine['python']}, {versions}" if machine else ""
    vectors = f"{row['vectors']} vectors" if "vectors" in row else ""
    parts = "; ".join(filter(None, (shape, vectors, where, python)))
    return f"{parts}." if parts else ""


def rewritten(text: str) -> str:
    """Return a README with new tables."""
    return MARKED.sub(lambda match: f"{match[1]}\n{made(match['name'])}\n\n{match[3]}", text)


def main() -> None:
    """Rewrite README.md, or report that it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    new = rewritten(text)
    if asked.check and new != text:
        sys.exit("benchmarks/README.md: its tables are not what results/ says; run python benchmarks/tables.py")
    readme.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
