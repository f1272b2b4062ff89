"""The sections of a page without charts and picks: numbers, quotas, rejects, comparison, and provenance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import polars as pl
import yaml

from recipe.data.problems import PROBLEMS, Problem
from recipe.errors import InputError
from recipe.io.formats import read_versioned
from recipe.io.versions import versions
from recipe.report.comparison import BASELINES, METRICS, SIGNS

if TYPE_CHECKING:
    from recipe.data.selection import Selection
    from recipe.report.comparison import Comparison
    from recipe.report.gaps import Gaps
    from recipe.report.stats import Stats

EXAMPLES = 3  # rejected samples that are listed for each reason
GAPS = 20  # cells that are short of samples
LINES = 40  # lines of a margin: there are hundreds of clusters, which the chart shows
UNKNOWN = Problem("a problem that this version does not know", "see the version that made the mix")
SPREADS = "Spreads"
TITLES = {"": "Totals", "tasks": "Tasks", "answers": "Kinds of answer", "sources": "Sources", "concepts": "Concepts"}


def tiles(stats: Stats, mix: Selection) -> list[tuple[str, str, str]]:
    """Return the headline numbers: name, value, and what to compare it with; those that are known."""
    ours, theirs = stats.mix, stats.pool
    found = [
        ("Samples", f"{ours.samples:,}", f"of {theirs.samples:,} in the pool"),
        ("Images", f"{ours.images:,}", f"of {theirs.images:,}"),
        ("Questions answered", f"{ours.qas:,}", f"of {theirs.qas:,}"),
        ("Words", f"{ours.words:,}", f"about {ours.tokens:,} tokens"),
    ]
    if ours.yes + ours.no:
        shares = [100 * side.yes / max(1, side.yes + side.no) for side in (ours, theirs)]
        found.append(("Yes among yes and no", f"{shares[0]:.1f} %", f"{shares[1]:.1f} % in the pool"))
    if theirs.clusters:
        found.append(("Clusters reached", f"{ours.clusters['reached']:,}", f"of {theirs.clusters['reached']:,}"))
    if coverage := stats.coverage:
        context = f"{coverage['random']:.4f} at random"
        found.append(("Coverage of the pool", f"{coverage['mix']:.4f}", context))
    if mix.certificate is not None:
        share = f"{mix.certificate:.1%}".replace("%", " %")
        found.append(("Of the best possible", share, "at least: objective / upper bound (certificate)"))
    return found


def groups(stats: Stats) -> list[dict[str, Any]]:
    """Return the statistics by group: a title, and lines of what, mix, pool, mix % and pool %.

    Groups that are no shares, as quantiles of lengths, come last, as one group.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    for what, *numbers in stats.table().iter_rows():
        group, colon, name = str(what).partition(": ")
        shared = numbers[2] is not None
        title = TITLES.get(group, _plain(group).capitalize()) if colon else TITLES[""]
        if colon and not shared:
            title, name = SPREADS, f"{_plain(group)}: {name}"
        found.setdefault(title, []).append((name if colon else _plain(group), *numbers))
    last = {SPREADS: found.pop(SPREADS)} if SPREADS in found else {}
    return [
        {"title": title, "lines": lines, "shares": any(line[3] is not None for line in lines)}
        for title, lines in (found | last).items()
    ]


def _plain(name: str) -> str:
    """Return the name of a field as words."""
    return name.replace("_", " ")


def margins(mix: Selection) -> list[dict[str, Any]]:
    """Return the wanted numbers and quotas of each margin of the recipe; the first lines of long ones."""
    found: list[dict[str, Any]] = []
    for name, margin in mix.quotas.report.group_by("margin", maintain_order=True):
        short = margin.filter(pl.col("quota") < pl.col("wanted")).height
        lines = margin.head(LINES).select("value", "supply", "wanted", "quota").rows()
        found.append({"name": _plain(str(name[0])), "lines": lines, "all": margin.height, "short": short})
    return found


def shortages(gaps: Gaps) -> dict[str, Any]:
    """Return the gaps: a summary, and the worst cells."""
    lines = gaps.table.head(GAPS).select("task", "answer", "cluster", "supply", "wanted", "short").rows()
    return {"summary": gaps.summary, "lines": lines, "all": len(gaps)}


def rejects(mix: Selection) -> list[dict[str, Any]]:
    """Return every reason for rejections: code, number of samples, meaning, what to do, examples."""
    rows = mix.pool.rows
    rejected = rows["problem"].is_not_null()
    table = pl.DataFrame([rows[name].filter(rejected) for name in ("problem", "source", "id", "record")])
    table = table.with_columns(pl.col("problem").str.split(":").list.first())
    found = []
    for (code,), samples in table.group_by("problem", maintain_order=True):
        what, fix = PROBLEMS.get(str(code), UNKNOWN)
        examples = samples.head(EXAMPLES).select("source", "id", "record").rows()
        found.append({"code": code, "count": samples.height, "what": what, "fix": fix, "examples": examples})
    return sorted(found, key=lambda one: (-one["count"], one["code"]))


class _Manifest(TypedDict):
    """The keys of a manifest that a page shows."""

    keys: list[str]
    versions: dict[str, str]
    sources: list[dict[str, str | int]]


def facts(mix: Selection) -> dict[str, Any]:
    """Return the provenance of the mix: versions, and sources with their numbers of samples, and hashes if known.

    Sources are not hashed for a page, since they may be many GB. Hashes come from the manifest beside the mix, if it
    belongs to this mix.
    """
    counts = mix.pool.rows["source"].value_counts(name="n").sort("source")
    sources = [{"name": name, "samples": n} for name, n in counts.iter_rows()]
    found = {"versions": versions(), "sources": sources}
    manifest = _manifest(mix)
    return found | {name: manifest[name] for name in found if name in manifest}


def _manifest(mix: Selection) -> dict[str, Any]:
    """Return the manifest beside the mix; an empty one if there is none, or it belongs to another mix."""
    file = Path(mix.recipe.write.path)
    try:
        manifest = read_versioned(file.with_name(f"{file.stem}.manifest.json"), "a manifest", 1, _Manifest, fix="")
    except InputError:
        return {}
    return {**manifest} if manifest["keys"] == mix.keys else {}


def recipe_yaml(mix: Selection) -> str:
    """Return the recipe as YAML, without the path of the mix."""
    plan = mix.recipe.model_dump(mode="json", exclude={"write": {"path"}})
    return yaml.safe_dump(plan, sort_keys=False, allow_unicode=True)


def compared(found: Comparison) -> dict[str, Any]:
    """Return the comparison of recipes: `seeds`, `refused`, and a table for each size and baseline."""
    tables = []
    for size in found.sizes:
        for against in (name for name in BASELINES if name in found.recipes):
            table = found.table(against).filter((pl.col("size") == size) & (pl.col("recipe") != against))
            by_name = {(line["recipe"], line["metric"]): line for line in table.iter_rows(named=True)}
            metrics = [name for name in METRICS if name in set(table["metric"])]
            lines = []
            for recipe in table["recipe"].unique(maintain_order=True):
                row = [by_name.get((recipe, metric)) for metric in metrics]
                words = [line["word"] for line in row if line is not None]
                counts = {word: words.count(word) for word in ("better", "worse")}
                lines.append({"recipe": recipe, **counts, "cells": [_tile(line) for line in row]})
            tables.append({"size": size, "against": against, "metrics": metrics, "lines": lines})
    seeds = found.values["seed"].n_unique()
    return {"seeds": seeds, "tables": tables, "refused": list(found.refused.items())}


def _tile(line: dict[str, Any] | None) -> dict[str, str]:
    """Return the sign of a difference, its word, and its numbers as text."""
    if line is None or line["difference"] is None:
        return {"sign": "", "word": "not measured", "numbers": "not measured"}
    values = [f"{line[name]:.4g}" for name in ("mean", "baseline", "difference", "low", "high")]
    numbers = "{}; baseline {}; difference {} ({} to {})".format(*values)
    return {"sign": SIGNS[line["word"]].replace("-", "\N{MINUS SIGN}"), "word": line["word"], "numbers": numbers}
