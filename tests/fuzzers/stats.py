"""Odd statistics and comparisons: as a baseline, beside a mix, and in a page."""

from __future__ import annotations

import json

from fuzzers.damage import damaged, twisted

from recipe.check.drift.baseline import check_baseline
from recipe.demo import write_demo
from recipe.mix.flow import select_mix
from recipe.report.comparison import Comparison, read_comparison, values_of
from recipe.report.page.parts import compared
from recipe.report.stats import read_stats

LINES = [
    (9, recipe, seed, metric, 0.5 + seed)
    for recipe in ("random", "source-balanced", "ours")
    for seed in range(2)
    for metric in ("vendi", "yes/gap")
]


def prepare(folder):
    """Write a mix and a comparison, and return the bytes of its statistics and of the comparison."""
    pool = folder / "pool"
    pool.mkdir()
    write_demo(pool, images=8)
    select_mix(pool, size=40).write(folder / "mix.json")
    stats = (folder / "mix.stats.json").read_bytes()
    return {"stats": stats, "comparison": Comparison(values_of(LINES)).to_json().encode()}


def attempt(rng, state, folder):
    """Damage a file, and read it by one of the doors."""
    name = rng.choice(sorted(state))
    file = folder / f"odd.{name}.json"
    if rng.random() < 0.75:
        tree = json.loads(state[name])
        for _ in range(rng.choice((1, 1, 2, 4))):
            tree = twisted(tree, rng)
        file.write_bytes(json.dumps(tree).encode("utf-8", "surrogatepass"))
    else:
        file.write_bytes(damaged(state[name], list(state.values()), rng))
    if name == "comparison":
        found = read_comparison(file)
        found.to_json(), repr(found), compared(found), found.signs(found.sizes[0], found.recipes[0])
    elif rng.random() < 0.2:
        check_baseline(folder / "mix.json", file)
    else:
        stats = read_stats(file)
        stats.metrics(), stats.table(), stats.to_json()
