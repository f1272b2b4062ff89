"""Odd manifests: of a mix that is opened, rebuilt, compared, checked and described."""

from __future__ import annotations

import json

from fuzzers.damage import damaged, twisted

from recipe import open_mix, rebuild_mix
from recipe.check.drift.baseline import diff_files, metrics_of
from recipe.demo import write_demo
from recipe.mix.flow import select_mix

RECIPE = {"parts": {"all": {"size": "all", "where": {"task": ["detail_description"]}}, "rest": {}}, "size": 60}


def prepare(folder):
    """Write two mixes, one of them in parts, and return their manifests."""
    pool = folder / "pool"
    pool.mkdir()
    write_demo(pool, images=8)
    select_mix(pool, size=40).write(folder / "plain.json")
    select_mix(pool, recipe=RECIPE | {"write": {"files": "parts"}}).write(folder / "parts.json")
    return {name: (folder / f"{name}.manifest.json").read_bytes() for name in ("plain", "parts")}


def attempt(rng, state, folder):
    """Damage a manifest, and use its mix by one of the doors."""
    name = rng.choice(sorted(state))
    file, mix = folder / f"{name}.manifest.json", folder / f"{name}.json"
    if rng.random() < 0.75:
        tree = json.loads(state[name])
        for _ in range(rng.choice((1, 1, 2, 4))):
            key = rng.choice(list(tree))  # of the whole only one key is `keys`, which is the longest
            tree[key] = twisted(tree[key], rng)
        file.write_bytes(json.dumps(tree).encode("utf-8", "surrogatepass"))
    else:
        file.write_bytes(damaged(state[name], list(state.values()), rng))
    door = rng.randrange(6)
    if door == 0:
        _rebuilt(rebuild_mix(file, folder / "again.json"))
    elif door == 1:
        diff_files(mix, mix)
    elif door == 2:
        metrics_of(mix)
    else:
        opened = open_mix(mix)
        (opened.stats, opened.gaps, opened.manifest)[door - 3]()
        repr(opened)


def _rebuilt(path):
    """Remove what was rebuilt, so that the next one finds nothing in its way."""
    for file in path.parent.glob("again*"):
        file.unlink()
