"""What a page says beside its charts and its picks: numbers, quotas, rejects, and what the mix was made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from recipe.data.problems import PROBLEMS, Problem
from recipe.io.versions import versions
from recipe.report.comparison import BASELINES, METRICS, SIGNS

if TYPE_CHECKING:
    from recipe.data.selection import Selection
    from recipe.report.comparison import Comparison
    from recipe.report.gaps import Gaps
    from recipe.report.stats import Stats

EXAMPLES = 3  # rejected samples that are named for each reason
GAPS = 20  # cells that are short of samples
LINES = 40  # lines of a margin: clusters are hundreds, and the chart shows them
UNKNOWN = Problem("a problem that this version does not know", "see the version that made the mix")
SPREADS = "Spreads"
TITLES = {"": "Totals", "tasks": "Tasks", "answers": "Kinds of answer", "sources": "Sources", "concepts": "Concepts"}


def tiles(stats: Stats, mix: Selection) -> list[tuple[str, str, str]]:
    """Return the few numbers that come first: name, value, and what to hold it against; those that are known."""
    ours, theirs = stats.mix, stats.pool
    told = [
        ("Samples", f"{ours.samples:,}", f"of {theirs.samples:,} in the pool"),
        ("Images", f"{ours.images:,}", f"of {theirs.images:,}"),
        ("Questions answered", f"{ours.qas:,}", f"of {theirs.qas:,}"),
        ("Words", f"{ours.words:,}", f"about {ours.tokens:,} tokens"),
    ]
    if ours.yes + ours.no:
        shares = [100 * side.yes / max(1, side.yes + side.no) for side in (ours, theirs)]
        told.append(("Yes among yes and no", f"{shares[0]:.1f} %", f"{shares[1]:.1f} % in the pool"))
    if theirs.clusters:
        told.append(("Clusters reached", f"{ours.clusters['reached']:,}", f"of {theirs.clusters['reached']:,}"))
    if reached := stats.coverage:
        told.append(("Coverage of the pool", f"{reached['mix']:.4f}", f"{reached['random']:.4f} at random"))
    if mix.certificate is not None:
        told.append(("Of the best possible", f"{mix.certificate:.1%}".replace("%", " %"), "at least, by certificate"))
    return told


def groups(stats: Stats) -> list[dict[str, Any]]:
    """Return the statistics by group: a title, and lines of what, mix, pool, mix % and pool %.

    Groups that are no shares, as quantiles of lengths, stand together at the end.
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
    """Write a field's name as words."""
    return name.replace("_", " ")


def margins(mix: Selection) -> list[dict[str, Any]]:
    """Return what each margin of the recipe wanted, and what it got; the first lines of long ones."""
    told: list[dict[str, Any]] = []
    for name, part in mix.quotas.report.group_by("margin", maintain_order=True):
        short = part.filter(pl.col("quota") < pl.col("wanted")).height
        lines = part.head(LINES).select("value", "supply", "wanted", "quota").rows()
        told.append({"name": _plain(str(name[0])), "lines": lines, "all": part.height, "short": short})
    return told


def shortages(gaps: Gaps) -> dict[str, Any]:
    """Return which cells are short of samples, the worst of them in lines."""
    lines = gaps.table.head(GAPS).select("task", "answer", "cluster", "supply", "wanted", "short").rows()
    return {"summary": gaps.summary, "lines": lines, "all": len(gaps)}


def rejects(mix: Selection) -> list[dict[str, Any]]:
    """Return every reason for which samples were rejected: code, how many, what it means, what to do, examples."""
    rows = mix.pool.rows
    held = rows["problem"].is_not_null()
    table = pl.DataFrame([rows[name].filter(held) for name in ("problem", "source", "id", "record")])
    table = table.with_columns(pl.col("problem").str.split(":").list.first())
    told = []
    for (code,), part in table.group_by("problem", maintain_order=True):
        problem = PROBLEMS.get(str(code), UNKNOWN)
        named = part.head(EXAMPLES).select("source", "id", "record").rows()
        told.append({"code": code, "count": part.height, "what": problem.what, "fix": problem.fix, "examples": named})
    return sorted(told, key=lambda one: (-one["count"], one["code"]))


def facts(mix: Selection) -> dict[str, Any]:
    """Return what the mix was made of: versions, and sources with their samples, and their hashes if those are known.

    Sources are not hashed for a page: they may be many GB. Hashes come from the manifest beside the mix, if it is of
    this mix.
    """
    counts = mix.pool.rows["source"].value_counts(name="n").sort("source")
    sources = [{"name": name, "samples": n} for name, n in counts.iter_rows()]
    told = {"versions": versions(), "sources": sources}
    written = _manifest(mix)
    return told | {name: written[name] for name in told if name in written}


def _manifest(mix: Selection) -> dict[str, Any]:
    """Return the manifest beside the mix; nothing if there is none, or it is of another mix."""
    file = Path(mix.recipe.write.path)
    try:
        told = json.loads(file.with_name(f"{file.stem}.manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) and told.get("keys") == mix.keys else {}


def recipe_yaml(mix: Selection) -> str:
    """Return the recipe as YAML; where the mix lies is no part of what it is."""
    plan = mix.recipe.model_dump(mode="json", exclude={"write": {"path"}})
    return yaml.safe_dump(plan, sort_keys=False, allow_unicode=True)


def beside(found: Comparison) -> dict[str, Any]:
    """Return the comparison of recipes: `seeds`, `refused`, and `tables` a size and baseline."""
    tables = []
    for size in found.sizes:
        for against in (name for name in BASELINES if name in found.recipes):
            told = found.table(against).filter((pl.col("size") == size) & (pl.col("recipe") != against))
            held = {(line["recipe"], line["metric"]): line for line in told.iter_rows(named=True)}
            metrics = [name for name in METRICS if name in set(told["metric"])]
            lines = []
            for recipe in told["recipe"].unique(maintain_order=True):
                row = [held.get((recipe, metric)) for metric in metrics]
                words = [line["word"] for line in row if line is not None]
                counts = {word: words.count(word) for word in ("better", "worse")}
                lines.append({"recipe": recipe, **counts, "cells": [_tile(line) for line in row]})
            tables.append({"size": size, "against": against, "metrics": metrics, "lines": lines})
    seeds = found.values["seed"].n_unique()
    return {"seeds": seeds, "tables": tables, "refused": list(found.refused.items())}


def _tile(line: dict[str, Any] | None) -> dict[str, str]:
    """Return the sign of a difference, its word, and its numbers."""
    if line is None or line["difference"] is None:
        return {"sign": "", "word": "not measured", "told": "not measured"}
    numbers = [f"{line[name]:.4g}" for name in ("mean", "baseline", "difference", "low", "high")]
    told = "{}; baseline {}; difference {} ({} to {})".format(*numbers)
    return {"sign": SIGNS[line["word"]].replace("-", "\N{MINUS SIGN}"), "word": line["word"], "told": told}
