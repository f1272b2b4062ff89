"""The recipe: it survives a round trip, errors are one line, and names are looked up as documented."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recipe import demo_pool, select_mix
from recipe.config.calls import call
from recipe.config.files import presets
from recipe.config.recipe import Recipe
from recipe.config.registry import check_knobs, find, names
from recipe.config.size import read_size
from recipe.config.step import Step
from recipe.errors import ConfigError, InputError, RecipeError


def message(*recipe, **knobs):
    """The one line that a bad recipe is answered with."""
    with pytest.raises(RecipeError) as caught:
        Recipe.of(*recipe, **knobs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def own_scores(pool):
    """Score nothing."""
    return np.zeros(len(pool), np.float32)


# round trips

RECIPES = {
    "defaults": {},
    "sizes": {"size": "20M tokens", "seed": -5},
    "whole share": {"size": 1.0},
    "sources": {"sources": ["a.json", {"path": "b", "name": "bee", "format": "svit"}]},
    "steps": {"embed": {"cached": {"path": "v.npy"}}, "score": ["length", {"novelty": {"neighbours": 3}}]},
    "no scores": {"score": [], "select": "random", "balance": {"margins": {}, "yes_share": None}},
    "order of margins": {"balance": {"margins": {"task": "even", "cluster": "even", "answer": {"capped": {"k": 9}}}}},
    "limits": {"balance": {"at_most": {"source": {"a.json": 5, "é": 0}}, "per_image": 2}},
    "the rest": {
        "read": {"boxes": "keep", "suffix_seed": 3},
        "tag": {"min_frequency": 0.01},
        "dedup": {"near": None, "across_images": True},
        "write": {"path": "é.jsonl", "ids": "given", "pack": True, "max_tokens": 100},
    },
}


@pytest.mark.parametrize("given", RECIPES.values(), ids=RECIPES)
def test_yaml_round_trip(given, tmp_path):
    """A recipe written as YAML is read as the same recipe, default for default and in the same order."""
    recipe = Recipe.of(given)
    written = recipe.to_yaml()
    (tmp_path / "r.yaml").write_text(written, "utf-8")
    assert Recipe.of(tmp_path / "r.yaml") == recipe
    assert Recipe.of(str(tmp_path / "r.yaml")).to_yaml() == written
    assert Recipe.of(recipe) == Recipe.of(recipe.model_dump(mode="json")) == recipe
    assert list(Recipe.of(yaml.safe_load(written)).balance.margins) == list(recipe.balance.margins)


def test_every_default_is_written():
    """The YAML of the default recipe has every key of every section."""
    written = yaml.safe_load(Recipe().to_yaml())
    assert list(written) == list(Recipe.model_fields)
    for section in ("read", "tag", "dedup", "balance", "write"):
        assert list(written[section]) == list(type(getattr(Recipe(), section)).model_fields)


@pytest.mark.parametrize("name", presets())
def test_presets_name_what_is_there(name):
    """Every shipped recipe loads, says in its first line what it is for, and names rooms and knobs that exist."""
    recipe = Recipe.of(name)
    assert presets()[name].endswith(".")
    check_rooms(recipe)
    assert Recipe.of(yaml.safe_load(recipe.to_yaml())) == recipe


def check_rooms(recipe):
    """Raise unless every step of a recipe names a file of its room and knobs of it."""
    steps = {
        "embed": [recipe.embed],
        "cluster": [recipe.cluster],
        "select": [recipe.select],
        "score": recipe.score,
    }
    for room, those in (steps | {"balance": recipe.balance.margins.values()}).items():
        for step in those:
            check_knobs(room, step.name, step.knobs)


def test_default_preset_is_the_default():
    """The preset that says so holds the defaults."""
    assert Recipe.of("recipe-default") == Recipe()


def test_json_schema():
    """The schema of a recipe is JSON, has every key, and describes each field."""
    schema = json.loads(json.dumps(Recipe.model_json_schema()))
    assert list(schema["properties"]) == list(Recipe.model_fields)
    assert schema["additionalProperties"] is False
    described = [schema, *schema["$defs"].values()]
    for name, field in [item for part in described for item in part["properties"].items()]:
        assert "description" in field or "$ref" in field, name


# what goes before what


def test_sections_are_merged():
    """A mapping for a section changes the fields it names only; what is None is left as it is."""
    base = Recipe.of({"balance": {"per_image": 3, "yes_share": 0.4}, "seed": 5})
    changed = Recipe.of(base, balance={"yes_share": None}, seed=None, size=10)
    assert (changed.balance.per_image, changed.balance.yes_share) == (3, None)
    assert changed.balance.margins == base.balance.margins
    assert (changed.seed, changed.size) == (5, 10)
    assert (base.balance.yes_share, base.size) == (0.4, 0.2)
    assert Recipe.of({"dedup": {"exact": False}}, dedup={"near": 0.5}).dedup.exact is False
    assert Recipe.of("random", write={"pack": True}).balance.margins == {}


def test_steps_are_replaced():
    """A step is no section: naming another leaves none of the knobs of the first."""
    assert Recipe.of({"select": {"facility": {"concepts": 1}}}, select="kcenter").select == Step("kcenter", {})


def test_recipes_are_frozen():
    """A recipe cannot be changed after it was checked."""
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().size = 3


# what is wrong


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"blance": {}}, "unknown key 'blance', did you mean 'balance'?"),
        ({"balance": {"yes_shar": 0.5}}, "unknown key 'balance.yes_shar', did you mean 'balance.yes_share'?"),
        ({"yes_share": 0.5}, "unknown key 'yes_share', did you mean 'balance.yes_share'?"),
        ({"write": {"seed": 1}}, "unknown key 'write.seed', did you mean 'seed'?"),
        (
            {"sources": [{"path": "x", "frmat": "svit"}]},
            "unknown key 'sources.0.frmat', did you mean 'sources.0.format'?",
        ),
    ],
)
def test_typos_are_answered_with_the_nearest_path(given, expected):
    """An unknown key is named with its path, and so is the key that was probably meant."""
    assert message(given) == f"recipe: {expected}"


def test_strange_keys_are_answered_with_all_keys():
    """Where no key is near, all keys are listed."""
    assert all(name in message({"zzz": 1}) for name in Recipe.model_fields)


@pytest.mark.parametrize(
    ("given", "place", "got"),
    [
        ({"seed": "x"}, "seed", "seed='x'"),
        ({"dedup": {"near": 2}}, "dedup.near", "near=2"),
        ({"dedup": {"near": 0}}, "dedup.near", "near=0"),
        ({"balance": {"yes_share": -0.1}}, "balance.yes_share", "yes_share=-0.1"),
        ({"balance": {"per_image": 0}}, "balance.per_image", "per_image=0"),
        ({"balance": {"at_most": {"source": {"a": -1}}}}, "balance.at_most.source.a", "a=-1"),
        ({"balance": None}, "balance", "balance=None"),
        ({"balance": {"margins": {"task": 3}}}, "balance.margins.task", "got task=3"),
        ({"read": {"boxes": "round"}}, "read.boxes", "boxes='round'"),
        ({"tag": {"min_frequency": -1}}, "tag.min_frequency", "min_frequency=-1"),
        ({"embed": 3}, "embed", "got embed=3"),
        ({"embed": {"hashing": 3}}, "embed", "{'hashing': 3}"),
        ({"embed": {"hashing": {}, "text": {}}}, "embed", "{'hashing': {}, 'text': {}}"),
        ({"score": [["novelty"]]}, "score.0", "['novelty']"),
        ({"sources": [{"name": "x"}]}, "sources.0.path", "field required"),
        ({"write": {"max_tokens": 0}}, "write.max_tokens", "max_tokens=0"),
    ],
)
def test_bad_values_are_named(given, place, got):
    """A bad value is answered in one line with its path and what came."""
    said = message(given)
    assert said.startswith(f"recipe: {place}: ")
    assert got in said


def test_errors_name_the_file(tmp_path):
    """What is wrong in a file is said with the file's name, whatever is wrong with it."""
    file = tmp_path / "mine.yaml"
    for written in (
        "blance: {}",
        "size: x",
        "seed: x",
        "[1, 2]",
        "just words",
        "a: [",
        "",
        "size: !!python/object:x 1",
    ):
        file.write_text(written)
        assert message(file).startswith(f"{file}: ")
    file.write_bytes(b"size: \xff")
    assert message(file).startswith(f"{file}: ")
    with pytest.raises(InputError, match="no such recipe file"):
        Recipe.of(tmp_path / "none.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InputError, match="cannot read"):
        Recipe.of(tmp_path / "folder.yaml")


def test_typo_in_a_preset():
    """A preset that is not there is answered with the nearest one."""
    assert "did you mean 'svit-concepts'?" in message("svit-concept")
    assert all(name in message("zzz") for name in presets())


# sizes


@pytest.mark.parametrize(
    ("size", "read"),
    [
        (1, (1, "samples")),
        ("5000", (5000, "samples")),
        ("5,000 samples", (5000, "samples")),
        ("5_000", (5000, "samples")),
        ("1.5k", (1500, "samples")),
        (0.2, (0.2, "share")),
        (1.0, (1.0, "share")),
        ("15%", (0.15, "share")),
        ("100 %", (1.0, "share")),
        ("20M tokens", (20e6, "tokens")),
        ("0.5B tokens", (5e8, "tokens")),
        (" 300 tokens ", (300, "tokens")),
    ],
)
def test_sizes(size, read):
    """A count, a share, a percentage or a number of tokens is read as such, and kept in the recipe as it was given."""
    number, unit = read_size(size)
    assert (number, unit) == (pytest.approx(read[0]), read[1])
    assert type(Recipe.of(size=size).size) is type(size)


BAD_SIZES = {
    "no number": [True, False, None, [], "x", "", "tokens"],
    "too small": [0, -1, 0.0, -0.5, "0", "-5", "0%", "0 tokens"],
    "too large": [1.5, float("inf"), "150%", "9" * 400],
    "two ways to read it": ["0.2", "1e3", "5m tokens", float("nan")],
}


@pytest.mark.parametrize("size", [size for sizes in BAD_SIZES.values() for size in sizes])
def test_bad_sizes(size):
    """What is no size is refused in one line, by the function and by a recipe."""
    with pytest.raises(ConfigError, match="expected size as a count from 1"):
        read_size(size)
    assert "expected size as a count from 1" in message({"size": size})


@given(st.text("0123456789.,_kMB% -tokensampl", max_size=14) | st.text(max_size=6))
def test_any_text_is_a_size_or_a_config_error(size):
    """No text breaks the reader of sizes, and what it reads is in range."""
    try:
        number, unit = read_size(size)
    except ConfigError:
        return
    assert number >= 1 or (unit == "share" and 0 < number <= 1)


# rooms


def test_names_are_files_of_a_room_or_functions(tmp_path):
    """A string in a recipe is a file of a room, or module:function; no other path or attribute is looked up."""
    for name in (
        "os.system",
        "recipe.stages.score.novelty",
        "../cli",
        "_vectors",
        "__init__",
        "novelty.score",
        "",
    ):
        file = tmp_path / "r.yaml"
        file.write_text(yaml.safe_dump({"score": [name]}))
        with pytest.raises(ConfigError, match=r"^score: no '.*' here") as caught:
            select_mix("no such file.json", recipe=file)
        assert "\n" not in str(caught.value)


def test_callables_are_rooms_of_their_own():
    """A function given in code is called in place of a room, survives changes of the recipe, and is written by name."""
    recipe = Recipe.of(score=[own_scores, "length"], select="random")
    changed = Recipe.of(recipe, seed=4, balance={"per_image": 5})
    assert changed.score[0].name is own_scores
    assert own_scores.__qualname__ in changed.to_yaml()
    mix = select_mix(demo_pool(images=4), size=10, recipe=changed)
    assert len(mix) == 10


def test_callables_as_margins_survive():
    """A rule given as a function is still that function after a change of the recipe."""

    def rule(counts, size):
        return counts * size

    recipe = Recipe.of(Recipe.of(balance={"margins": {"task": rule}}), balance={"yes_share": None})
    assert recipe.balance.margins["task"].name is rule


@pytest.mark.parametrize("room", ["embed", "dedup", "cluster", "score", "balance", "select", "tag", "write"])
def test_every_file_of_a_room_is_found(room):
    """Every name that a room lists is a function that bears the room's name, has a docstring, and needs no more data
    than others of the room.
    """
    assert names(room)
    for name in names(room):
        assert find(room, name).__name__ == room
        assert find(room, name).__doc__


def test_typos_of_rooms_and_knobs():
    """A typo is answered with the nearest name, or with all there are; what is missing is named."""
    with pytest.raises(ConfigError, match=r"score: no 'noveltly' here, did you mean 'novelty'\?"):
        find("score", "noveltly")
    with pytest.raises(ConfigError, match=f"known: {', '.join(names('score'))}"):
        find("score", "zzz")
    with pytest.raises(ConfigError, match=r"score.novelty: unknown knob 'neighbors', did you mean 'neighbours'\?"):
        check_knobs("score", "novelty", {"neighbors": 3})
    with pytest.raises(ConfigError, match=r"score.density: unknown knob 'k', it has none"):
        check_knobs("score", "density", {"k": 3})
    with pytest.raises(ConfigError, match=r"embed.cached: expected the knob 'path'; write {cached: {path: ...}}"):
        check_knobs("embed", "cached", {"column": "v"})
    check_knobs("embed", "cached", {"path": "v.npy", "seed": 1})


def test_bad_knobs_are_found_before_anything_is_read():
    """A recipe whose steps are wrong is refused though its sources do not exist."""
    for knobs in (
        {"embed": "cached"},
        {"select": {"facility": {"blok": 3}}},
        {"balance": {"margins": {"task": "eve"}}},
    ):
        with pytest.raises(ConfigError):
            select_mix("no such file.json", **knobs)


def test_seed_is_given_to_functions_that_take_one():
    """The recipe's seed reaches a function with that knob, unless the step sets it, and no other function."""

    def takes(data, *, seed):
        return data, seed

    def takes_none(data):
        return data

    assert call("embed", Step(takes, {}), "pool", seed=3) == ("pool", 3)
    assert call("embed", Step(takes, {"seed": 8}), "pool", seed=3) == ("pool", 8)
    assert call("embed", Step(takes_none, {}), "pool", seed=3) == "pool"
