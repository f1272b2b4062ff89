"""The commands that check a mix: recipe validate | check | diff, with tables or JSON as output."""

from __future__ import annotations

import json as js
import os
import sys
from pathlib import Path  # noqa: TC003  typer reads it
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from recipe.cli._terminal import Printer, named, shown
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recipe.check.drift.diff import Diff
    from recipe.check.drift.verdicts import Drift, Verdict

WIDE = 200  # columns where the output is no terminal, as in the log of a CI job
out = Printer(highlight=False, soft_wrap=True, width=None if sys.stdout and sys.stdout.isatty() else WIDE)
LINES = 20  # rows of a table of `recipe diff`

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def validate(
    mix: Annotated[Path, typer.Argument(help="A mix.")],
    *,
    trainer: Annotated[
        str | None,
        typer.Option(
            "--for", help="llava, jsonl, llava-next, llama-factory, swift, trl, qwen-vl, internvl, webdataset."
        ),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the images, to check that they are there.")] = None,
    decode: Annotated[bool, typer.Option("--decode", help="Decode every image as well.")] = False,
    tokenizer: Annotated[Path | None, typer.Option(help="Llama's tokenizer.model, to count tokens exactly.")] = None,
    fix: Annotated[Path | None, typer.Option(help="Write a repaired copy here, its rejects beside it.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for problems of other loaders too.")] = False,
    json: Json = False,
) -> None:
    """Check a file against the demands of its trainer; exit 1 if there are findings, or with --fix, rejects."""
    from recipe.check import check_mix, fix_mix  # noqa: PLC0415
    from recipe.cli._findings import show, to_json  # noqa: PLC0415  starts fast

    if fix and trainer not in (None, "llava"):
        raise ConfigError(f"--fix repairs files for llava alone, got --for {trainer}; select again with --to {trainer}")
    how: dict[str, Any] = {"images": images, "decode": decode, "tokenizer": tokenizer}
    fixed = fix_mix(mix, fix, **how) if fix else None
    findings = fixed.findings if fixed else check_mix(mix, trainer=trainer, **how)
    if json:
        sys.stdout.write(to_json(findings, fixed))
    else:
        show(out, findings, fixed)
    wrong = fixed.rejected if fixed else [each for each in findings if strict or each.severity != "other"]
    raise typer.Exit(1 if wrong else 0)


def check(
    mix: Annotated[Path, typer.Argument(help="A mix, or any file that can be read as a pool.")],
    *,
    baseline: Annotated[Path, typer.Option(help="Statistics of a mix that you trust, as mix.stats.json.")],
    tolerance: Annotated[Path | None, typer.Option(help="YAML: metric or glob -> comparator; the last counts.")] = None,
    update: Annotated[bool, typer.Option("--update", help="Write a new baseline; not in CI.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail also if a metric cannot be measured.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Print every metric, not only those that moved.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    github: Annotated[bool, typer.Option("--github", help="Print annotations, as where GITHUB_ACTIONS=true.")] = False,
    json: Json = False,
) -> None:
    """Check a mix against the statistics of an earlier one; exit 1 if it drifted."""
    from recipe.check.drift.baseline import check_baseline, write_baseline  # noqa: PLC0415  starts fast
    from recipe.check.drift.junit import annotate  # noqa: PLC0415  starts fast
    from recipe.check.drift.junit import junit as xml  # noqa: PLC0415  starts fast
    from recipe.io.marks import has_mark  # noqa: PLC0415  starts fast
    from recipe.io.outputs import check_output, open_output  # noqa: PLC0415  starts fast
    from recipe.mix.targets import beside_of  # noqa: PLC0415  starts fast

    if update:
        out.print(f"wrote {named(write_baseline(mix, baseline))}")
        return
    if junit is not None:
        reads = [mix, *beside_of(mix), baseline, *([] if tolerance is None else [tolerance])]
        check_output(junit, reads, own=has_mark)
    drift = check_baseline(mix, baseline, tolerance)
    if junit is not None:
        with open_output(junit, "w", own=has_mark) as file:
            file.write(xml(drift, strict=strict, name=f"recipe check {mix}"))
    if json:
        sys.stdout.write(js.dumps(drift.to_dict(), indent=1) + "\n")
    else:
        _show_drift(drift, every=every)
    if github or os.environ.get("GITHUB_ACTIONS") == "true":
        lines = annotate(drift, str(mix), strict=strict)
        (sys.stderr if json else sys.stdout).writelines(f"{line}\n" for line in lines)
    raise typer.Exit(1 if drift.failed(strict=strict) else 0)


def diff(
    a: Annotated[Path, typer.Argument(help="The older mix.")],
    b: Annotated[Path, typer.Argument(help="The newer mix.")],
    *,
    json: Json = False,
) -> None:
    """Compare two mixes: samples added and removed, and metrics that moved."""
    from recipe.check.drift.baseline import diff_files  # noqa: PLC0415  starts fast

    found = diff_files(a, b)
    if json:
        sys.stdout.write(js.dumps(found.to_dict(), indent=1) + "\n")
    else:
        _show_diff(found)


def _show_drift(drift: Drift, *, every: bool) -> None:
    """Print verdicts as a table, and how many there are of each."""
    verdicts = drift.verdicts if every else drift.failed(strict=True)
    _print(["metric", "baseline", "got", "tolerance", "verdict"], (_cells(each) for each in verdicts))
    out.print(shown(drift.summary))


def _show_diff(found: Diff) -> None:
    """Print counts, metrics and examples; of long tables only the first rows."""
    out.print(f"{found.added:,} added, {found.removed:,} removed, {found.kept:,} kept")
    for name, counts in (("task", found.tasks), ("cluster", found.clusters)):
        changed = [
            (label, *(f"{count:,}" for count in sides.values()))
            for label, sides in counts.items()
            if sides["added"] or sides["removed"]
        ]
        _print([name, "added", "removed", "kept"], changed[:LINES], len(changed) - LINES)
    moved = [_cells(each)[:-1] for each in found.moved]
    _print(["metric", "first", "second", "tolerance"], moved[:LINES], len(moved) - LINES)
    for side, examples in found.examples.items():
        pairs = ((each.key[:12], each.task or "", each.question or "", each.answer or "") for each in examples)
        _print([side, "task", "question", "answer"], pairs)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    """Return the cells of a verdict."""
    from recipe.check.drift.verdicts import number  # noqa: PLC0415  starts fast

    return verdict.metric, number(verdict.baseline), number(verdict.got), verdict.tolerance, verdict.verdict


def _print(head: list[str], lines: Iterable[tuple[str, ...]], more: int = 0) -> None:
    """Print a table, if it has rows, and how many more there are."""
    table = Table(*head, box=None)
    for line in lines:
        table.add_row(*map(shown, line))
    if table.row_count:
        table.columns[0].no_wrap = True
        table.columns[0].min_width = max(len(cell) for cell in map(str, table.columns[0].cells))
        out.print(table)
    if more > 0:
        out.print(f"and {more:,} more; --json lists all")
