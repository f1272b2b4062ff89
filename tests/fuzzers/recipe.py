"""Mutated recipes: a plan, or one line that says what is wrong; now and then a whole small mix."""

from __future__ import annotations

import copy
import json
import math
import warnings
from typing import TYPE_CHECKING, Any

import yaml

from recipe import Recipe, demo_pool, select_mix
from recipe.config.files import PRESETS
from recipe.config.registry import names
from recipe.errors import RecipeError
from recipe.mix.plan import make_plan

if TYPE_CHECKING:
    import random
    from pathlib import Path

ROOMS = ("embed", "cluster", "select")
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 0.0, 0.5, 1.0, 2.5, -0.5, 1e-300, 1e300, 1e400, -math.inf, math.nan, 2**31),
    *(
        2**53,
        2**63,
        2**64,
        -(2**63) - 1,
        10**30,
        10**5000,
        "",
        "a",
        "3",
        "0.5",
        "nan",
        "task",
        "turns",
        "concepts",
        "all",
    ),
    *(
        "\0",
        "\n",
        "é",
        "\ud800",
        "a" * 300,
        "../x",
        "~",
        "os:system",
        "a:b:c",
        "length",
        "15%",
        "20M tokens",
        "9" * 400,
    ),
    *([], {}, [1], [None], {"a": 1}, {"": {}}, {3: 4}, {"length": math.nan}, {"length": "x"}, {"facility": {}}, [[]]),
    *(
        {"temperature": {"t": 0}},
        {"shares": {"weights": {"caption": -1}}},
        {"even": {}, "capped": {}},
        b"x",
        (1,),
        object(),
    ),
)
TEXTS = (
    "\t",
    "\0",
    "\ufeff",
    "&a ",
    "*a",
    "!!set ",
    "!!python/object:x ",
    "---\n",
    "{",
    "[" * 60,
    ": ",
    "<<: ",
    "? ",
    "%",
    "'",
)


def prepare(folder: Path) -> Any:
    """Make a small pool, and the recipes to mutate."""
    assert folder.is_dir()
    shipped = [yaml.safe_load(file.read_text("utf-8")) for file in sorted(PRESETS.glob("*.yaml"))]
    seeds = [yaml.safe_load(Recipe().to_yaml()), *shipped]
    for room in ROOMS:
        seeds += [{room: {name: {}}} for name in names(room) if name not in {"text", "distilled"}]
    seeds += [{"balance": {"margins": {"task": {name: {}}}}} for name in names("balance")]
    seeds += [{"score": [{name: {}}]} for name in names("score")]
    return demo_pool(images=12), seeds


def attempt(rng: random.Random, state: Any, folder: Path) -> None:
    """Change a recipe a few times, and plan it; in one of twelve tries pick a mix by it."""
    pool, seeds = state
    recipe = copy.deepcopy(rng.choice(seeds))
    for _ in range(rng.randrange(1, 4)):
        _changed(rng, recipe)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            way = rng.randrange(12)
            if way < 3:
                _of_file(rng, recipe, folder)
            elif way < 5:
                Recipe().with_keys([_setting(rng)])
            elif way == 11:
                select_mix(pool, recipe=recipe, size=rng.choice([1, 5, 0.3]))
            else:
                plan = make_plan(recipe, None)
                assert make_plan(yaml.safe_load(plan.to_yaml()), None).to_yaml() == plan.to_yaml()
    except RecipeError as error:
        assert "\n" not in str(error), f"more than one line: {error!r}"  # noqa: PT017  nothing may be raised at all
        assert len(str(error)) < 1000, f"too long: {error!r:.200}"  # noqa: PT017  as above
        raise


def _changed(rng: random.Random, node: Any) -> None:
    """Change a value, a key or the structure somewhere in a recipe."""
    while isinstance(node, dict | list) and node:
        places = list(node) if isinstance(node, dict) else range(len(node))
        place = rng.choice(places)
        if isinstance(node[place], dict | list) and node[place] and rng.random() < 0.7:
            node = node[place]
            continue
        way = rng.randrange(6)
        if way == 0 and isinstance(node, dict):
            node[rng.choice([*map(str, VALUES[:20]), "a" * 300, 3, None, "seed", "k"])] = node.pop(place)
        elif way == 1 and isinstance(node, dict):
            node[rng.choice(["seed", "block", "d", "k", "t", "by", "quality", "weights", "path"])] = rng.choice(VALUES)
        elif way == 2:
            del node[place]
        else:
            node[place] = copy.copy(rng.choice(VALUES))
        return


def _of_file(rng: random.Random, recipe: Any, folder: Path) -> None:
    """Write a recipe as YAML, damage the text, and read it."""
    try:
        text = yaml.safe_dump(recipe, allow_unicode=True)
    except Exception:  # noqa: BLE001  a value that YAML has no form for
        text = "size: 3\nbalance: {per_image: 2}\n"
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(TEXTS) + text[place + rng.choice([0, 0, 1, 9]) :]
    file = folder / "odd.yaml"
    file.write_bytes(text.encode(rng.choice(["utf-8", "utf-8", "utf-8", "utf-16"]), "surrogatepass"))
    make_plan(file, None)


def _setting(rng: random.Random) -> str:
    """Write a key and a value as for `--set`."""
    keys = ["size", "seed", "balance.per_image", "balance.margins.task.capped.k", "embed.hashing.d", "parts.a.size"]
    keys += [
        "select.facility.quality.length",
        "score",
        "a.b.c",
        "",
        ".",
        "write.path",
        "tag.concepts",
        "balance.margins",
    ]
    value = rng.choice(VALUES)
    try:
        text = rng.choice([json.dumps(value), str(value)])
    except (TypeError, ValueError):
        text = rng.choice([*TEXTS, "9" * 5000])
    return f"{rng.choice(keys)}{rng.choice(['=', '=', '=', ''])}{text}"
