"""Compare every preset with random on samples of your own: what its mixes contain, and what can be learned from them.

    python benchmarks/bench_compare.py svit/ llava_mix.json annotation.json --json benchmarks/results/compare.json

`--judge` takes the half of the images that the defaults were not tuned on, and compares on three separate pools:
SVIT's, LLaVA's and Vision-Flan's samples of that half. `--tune` takes the other half, all formats together.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from _machine import facts, table

from recipe import Pool, compare_mixes, read_pool
from recipe.compare.hold_out import draw_hold_out
from recipe.config.files import presets
from recipe.data.pool import SCHEMA
from recipe.report.comparison import METRICS, SIGNS, Comparison, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (0.01, 0.05, 0.2)
HALF = 20231107  # seed of the two halves of the images: one to tune on, one to evaluate on


def halves(pool: Pool, *, judge: bool) -> Pool:
    """Return the half of the images to evaluate on, or the one to tune on."""
    return some(pool, np.flatnonzero(draw_hold_out(pool, 0.5, seed=HALF) == judge))


def some(pool: Pool, rows: np.ndarray) -> Pool:
    """Return some samples as a pool of their own."""
    table = pool.rows.select(name for name in SCHEMA if name != "row")[rows]
    return Pool(table.with_row_index("row").select(*SCHEMA))


def by_format(pool: Pool) -> Iterator[tuple[str, Pool]]:
    """Split a pool into SVIT's, Vision-Flan's and all other samples."""
    named = pool.rows.select(
        svit=pl.col("id").str.starts_with("svit_"),
        vision_flan=pl.col("task_name").is_not_null() & ~pl.col("id").str.starts_with("svit_"),
    ).with_columns(llava=~(pl.col("svit") | pl.col("vision_flan")))
    for name in named.columns:
        yield name, some(pool, np.flatnonzero(named[name].to_numpy()))


def packed(found: Comparison, seconds: float, name: str) -> dict[str, Any]:
    """Return a comparison in few bytes: size, recipe and metric to the values of all seeds."""
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for size, recipe, _, metric, value in found.values.iter_rows():
        values.setdefault(str(size), {}).setdefault(recipe, {}).setdefault(metric, []).append(round(value, 5))
    about = {key: value for key, value in found.about.items() if key != "recipes"}
    return {"pool": name, "about": about, "seconds": round(seconds), "refused": found.refused, "values": values}


def unpacked(result: dict[str, Any]) -> Comparison:
    """Return a packed comparison."""
    lines = [
        (int(size), recipe, seed, metric, value)
        for size, recipes in result["values"].items()
        for recipe, metrics in recipes.items()
        for metric, values in metrics.items()
        for seed, value in enumerate(values)
    ]
    return Comparison(values_of(lines), result["refused"], result["about"])


def tables(result: dict[str, Any]) -> str:
    """Return Markdown tables of a packed comparison: means, and two signs, against random and source-balanced."""
    found = unpacked(result)
    where = result.get("machine", {})
    about = result["about"]
    parts = [
        f"Pool: {result['pool']}, {about['samples']:,} samples, {about['seeds']} seeds, {result['seconds']:,} s"
        + (f" on {where['cores']} cores." if where else ".")
    ]
    for size in found.sizes:
        signs = {}
        for against in ("random", "source-balanced"):
            for line in found.table(against).filter(pl.col("size") == size).iter_rows(named=True):
                signs[against, line["recipe"], line["metric"]] = SIGNS[line["word"]]
        means = found.values.filter(pl.col("size") == size).group_by("recipe", "metric").agg(pl.col("value").mean())
        value = {(recipe, metric): mean for recipe, metric, mean in means.iter_rows()}
        names = [recipe for recipe in found.recipes if any((recipe, metric) in value for metric in METRICS)]
        for head, chosen in _groups(value):
            rows = []
            for name in names:
                row = {"recipe": name}
                for metric in chosen:
                    both_signs = "".join(signs.get((one, name, metric), "?") for one in ("random", "source-balanced"))
                    row[metric] = f"{value[name, metric]:.4g} `{both_signs}`" if (name, metric) in value else ""
                rows.append(row)
            parts += [f"**{size:,} samples: {head}**", table(rows, dict.fromkeys(rows[0], ""))]
    parts += [f"No mix of {what}: {why}." for what, why in result["refused"].items()]
    return "\n\n".join(parts)


def _groups(value: dict[tuple[str, str], float]) -> list[tuple[str, list[str]]]:
    """Group the metrics by what they measure."""
    known_metrics = [metric for metric in METRICS if any(metric == known for _, known in value)]
    learned = [metric for metric in known_metrics if metric.startswith("proxy/")]
    covers = [
        metric for metric in known_metrics if metric.startswith(("coverage/", "vendi", "distinct", "question", "near"))
    ]
    rest = [metric for metric in known_metrics if metric not in {*learned, *covers}]
    return [("learned from the mix", learned), ("diversity", covers), ("balance", rest)]


def main() -> None:
    """Compare, print tables, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--recipe", action="append", help="presets or files; every preset by default")
    parser.add_argument("--size", action="append", type=float)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument("--tune", action="store_true")
    sides.add_argument("--judge", action="store_true")
    asked = parser.parse_args()
    pools: dict[str, Any] = {"all": asked.sources}
    if asked.tune or asked.judge:
        half = halves(read_pool(asked.sources), judge=asked.judge)
        pools = dict(by_format(half)) if asked.judge else {"half to tune on": half}
    results = []
    for name, sources in pools.items():
        begin = time.perf_counter()
        recipes = asked.recipe or list(presets())
        found = compare_mixes(sources, recipes, sizes=asked.size or SIZES, seeds=asked.seeds)
        results.append(
            {
                **packed(found, time.perf_counter() - begin, name),
                "machine": facts(["numpy", "scikit-learn", "faiss-cpu"]),
            }
        )
        print(tables(results[-1]), "\n")
        sys.stdout.flush()
    if asked.json:
        asked.json.write_text(json.dumps(results) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
