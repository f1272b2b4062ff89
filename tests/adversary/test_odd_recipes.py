"""Odd recipes: every knob, option and file of a user is checked before anything is read, in one line with its place."""

from __future__ import annotations

import inspect
import math
import random
import sys
from contextlib import suppress
from typing import Annotated, Any

import numpy as np
import pytest
from fuzzers import recipe as fuzzer

from recipe import Recipe, demo_pool, select_mix
from recipe.check.drift.tolerance_files import load_tolerances
from recipe.config.knobs import annotation_of, described
from recipe.config.registry import GIVEN, check_knobs, find, names
from recipe.errors import ConfigError, RecipeError
from recipe.io.yaml import MOST_NODES, load_yaml
from recipe.mix.plan import make_plan
from recipe.stages.tag.concepts import load_concepts

NAN, HUGE = math.nan, 10**5000
ROOMS = ("dedup", "embed", "cluster", "score", "balance", "select", "write")


def refused(recipe):
    """The one line with which a recipe is refused."""
    with pytest.raises(RecipeError) as caught:
        make_plan(recipe, None)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


def margin(rule):
    """A recipe with a rule for tasks."""
    return {"balance": {"margins": {"task": rule}}}


ODD = [
    ({"embed": {"hashing": {"d": "abc"}}}, "embed.hashing.d: expected an integer from 1 and up to 4096, got d='abc'"),
    ({"embed": {"hashing": {"d": True}}}, "got d=True"),
    ({"embed": {"hashing": {"features": 10**30}}}, "an integer of at most 64 bits"),
    ({"embed": {"cached": {"path": 7}}}, "embed.cached.path: expected text or a path, got path=7"),
    ({"embed": {"cached": {"path": ""}}}, "expected a path"),
    ({"embed": "a" * 3000}, "embed: no 'aaa"),
    ({"embed": "\n"}, r"embed: no '\n'"),
    ({"cluster": {"kmeans": {"k": 2.5}}}, "cluster.kmeans.k: expected an integer from 1 or null, got k=2.5"),
    ({"select": {"facility": {"quality": 3}}}, "select.facility.quality: expected a mapping of"),
    ({"select": {"facility": {"quality": {"length": "x"}}}}, "got length='x'"),
    ({"select": {"facility": {"quality": {"length": NAN}}}}, "got length=nan"),
    ({"select": {"facility": {"concepts": math.inf}}}, "got concepts=inf"),
    ({"select": {"facility": {"certificate": 1}}}, "expected true or false, got certificate=1"),
    ({"select": {"ranked": {"by": 3}}}, "got by=3"),
    ({"select": {"weighted": {"chance": ["softmax"]}}}, "expected 'softmax' or 'proportional'"),
    ({"select": {"mmr": {"diversity": None}}}, "got diversity=None"),
    (margin({"temperature": {"t": 0}}), "balance.temperature.t: expected a finite number from 1, got t=0"),
    (margin({"temperature": {"t": NAN}}), "got t=nan"),
    (margin({"shares": {"weights": {"caption": -1}}}), "balance.shares.weights: expected"),
    (margin({"shares": {"weights": {"caption": NAN}}}), "balance.shares.weights: expected"),
    (margin(3), "balance.margins.task: expected a name"),
    ({"balance": {"per_image": "x"}}, "balance.per_image: expected an integer from 1 or null, got per_image='x'"),
    ({"balance": {"per_image": 2.0}}, "got per_image=2.0"),
    ({"balance": {"yes_share": NAN}}, "balance.yes_share: expected a finite number from 0 and up to 1 or null"),
    ({"balance": {"at_most": {"task": {"caption": -1}}}}, "balance.at_most.task.caption: expected an integer from 0"),
    ({"parts": {"a" * 300: {}}}, "expected a name of 1 to 200 printable characters"),
    ({"parts": {"a/b": {}}}, "expected a name without slashes"),
    ({"parts": {"": {}}}, "expected a name of 1 to 200"),
    ({"parts": {"Stats": {}}}, "expected another name than dataset_info, manifest, meta, rejects, scores, stats"),
    ({"parts": {3: {}}}, "expected a name as a key, got 3"),
    ({"parts": {"a": {"size": 0}}}, "parts.a.size: expected a count, a share or all"),
    ({"parts": {"a": 3}}, "parts.a: expected a mapping with keys such as"),
    ({"score": [{"length": {"called": "a\nb"}}]}, "length.called: expected a name of 1 to 200"),
    ({"score": "length"}, "score: expected a list"),
    ({"sources": ["a\0"]}, "sources.0.path: expected a path, without a zero byte"),
    ({"sources": 3}, "sources: expected a list"),
    ({"write": {"max_tokens": True}}, "write.max_tokens: expected an integer from 1, got max_tokens=True"),
    ({"write": {"format": {"llava": {"ids": 3}}}}, "write.llava.ids"),
    ({"dedup": {"exact": 1}}, "dedup.exact: expected true or false"),
    ({"tag": {"min_frequency": math.inf}}, "tag.min_frequency: expected a finite number from 0"),
    ({"size": 0}, "recipe: expected size as a count"),
    ({"size": "9" * 5000}, "recipe: expected size as a count"),
    ({"size": HUGE}, "got size=an integer of 16610 bits"),
    ({"seed": HUGE}, "seed: expected an integer of at most 64 bits"),
    ({"seed": "3"}, "seed: expected an integer, got seed='3'"),
    ({"vectors": 3}, "give vectors by pool.with_vectors"),
    (
        {"read": {"zzz": 1}},
        "unknown key 'read.zzz', known: boxes, boxes_frame, image_data, image_token, images, lenient",
    ),
    ({3: 1}, "expected names as keys, got 3"),
]


@pytest.mark.parametrize(("given", "said"), ODD, ids=lambda one: one[:40] if isinstance(one, str) else "")
def test_an_odd_recipe_is_one_line(given, said):
    """A value of another type, out of its range, too long or not finite is named with its place."""
    assert said in refused(given)


@pytest.mark.parametrize("room", ROOMS)
def test_every_shipped_knob_has_a_type_that_is_checked(room):
    """The annotation of each knob resolves, and refuses an object; the reference is made from the same one."""
    for name in names(room):
        function = find(room, name)
        for one in inspect.signature(function).parameters.values():
            if one.kind is one.KEYWORD_ONLY and one.name not in {*GIVEN, "originals"}:
                annotation = annotation_of(function, one)
                assert annotation is not Any, f"{room}.{name}.{one.name}"
                assert annotation not in {int, float}, f"{room}.{name}.{one.name} has no range"
                assert "Any" not in described(annotation)
                others = list(inspect.signature(function).parameters)
                with pytest.raises(ConfigError, match=rf"{room}\.{name}\.{one.name}: expected"):
                    check_knobs(room, name, {one.name: object()}, given=others)


def test_defaults_and_numbers_of_numpy_fit():
    """What the functions themselves default to passes, and so do NumPy's numbers."""
    for room in ROOMS:
        for name in names(room):
            knobs = {one.name: one.default for one in inspect.signature(find(room, name)).parameters.values()}
            given = {knob: value for knob, value in knobs.items() if value is not inspect.Parameter.empty}
            given = {knob: value for knob, value in given.items() if knob not in {*GIVEN, "originals"}}
            check_knobs(room, name, given, given=knobs)
    check_knobs("embed", "hashing", {"d": np.int64(8)})
    check_knobs("select", "facility", {"concepts": np.float32(0.5), "quality": {"length": 1}})


def own_typed(pool: Any, *, least: Annotated[int, "any"] = 1, shape: tuple[int, int] = (1, 1)):  # noqa: ARG001
    """Score nothing."""
    return np.zeros(len(pool), np.float32)


def own_untyped(pool, *, least=1):  # noqa: ARG001
    """Score nothing."""
    return np.zeros(len(pool), np.float32)


def own_unresolvable(pool, *, least: NoSuchType = 1):  # noqa: ARG001, F821
    """Score nothing."""
    return np.zeros(len(pool), np.float32)


def test_functions_of_ones_own_are_checked_by_what_they_say():
    """An annotation of a user's function is checked; none, or one that cannot be resolved, accepts everything."""
    check_knobs("score", own_typed, {"least": 3, "shape": [1, 2]})
    with pytest.raises(ConfigError, match=r"own_typed\.least: expected an integer, got least='x'"):
        check_knobs("score", own_typed, {"least": "x"})
    check_knobs("score", own_untyped, {"least": "x"})
    check_knobs("score", own_unresolvable, {"least": "x"})


def test_a_margin_over_lists_names_the_columns_that_work():
    """A column of lists has no values to share out; the message lists those that do."""
    for column in ("turns", "concepts"):
        with pytest.raises(ConfigError, match=f"the column '{column}' holds lists.*answer"):
            select_mix(demo_pool(images=4), size=2, balance={"margins": {column: "even"}})


def test_setting_another_rule_replaces_the_one_before():
    """`--set` of a knob of another function replaces the function; of the same one, adds to its knobs."""
    plan = Recipe().with_keys(["balance.margins.task.capped.k=3", "balance.margins.task.capped.t=2"])
    assert plan.balance.margins["task"] == ("capped", {"k": 3, "t": 2}, None)
    assert plan.balance.margins["answer"].name == "temperature"
    assert Recipe().with_keys(["select.facility.block=5"]).select.knobs.keys() == {"concepts", "quality", "block"}


BOMB = "a: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
HOSTILE = {
    "aliases of aliases": (BOMB, f"more than {MOST_NODES:,} values"),
    "an alias of itself": ("a: &a [*a]", "without a value of its own"),
    "brackets": ("[" * 5000, "depth|within each other"),
    "indents": ("- " * 3000, "within each other"),
    "long": ("a: " + "b" * 2**21, "characters"),
    "digits": ("a: " + "9" * 5000, "too many digits"),
    "a key twice": ("a: 1\na: 2", "occurs twice"),
    "a number as a key": ("3: 1", "3 is none; write it in quotes"),
    "a list as a key": ("? [a]\n: 1", "a list or a mapping is none"),
    "an object": ("!!python/object:os.x {}", "tag"),
    "bytes": ("a: !!binary aGk=", "tag"),
    "a set": ("!!set {a}", "tag"),
    "a wrong tag": ("a: !!bool x", "tag"),
    "two documents": ("a: 1\n---\nb: 2", "single document"),
    "a tab": ("\ta: 1", "expected YAML"),
    "a surrogate": ("a: \ud800", "surrogates"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_one_line_wherever_it_comes_from(name, tmp_path):
    """A recipe, a value of `--set`, tolerances and concepts are read by one loader, which is bounded."""
    text, said = HOSTILE[name]
    file = tmp_path / "odd.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    readers = [lambda: load_yaml(text, "x"), lambda: Recipe.of(file), lambda: Recipe().with_keys([f"size={text}"])]
    readers += [lambda: load_tolerances(file)] if name in {"aliases of aliases", "brackets", "a key twice"} else []
    readers += [lambda: load_concepts(file)] if name != "long" else []
    for number, read in enumerate(readers):
        with pytest.raises(RecipeError) as caught:
            read()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600
        if number == 0:
            caught.match(said)


def test_plain_yaml_means_what_it_says(tmp_path):
    """A date is text, a merge works, a mark of the byte order is skipped, and UTF-16 is refused."""
    assert load_yaml("day: 2026-01-01", "x") == {"day": "2026-01-01"}
    assert load_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}", "x")["b"] == {"x": 1, "y": 2}
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfsize: 3\n")
    assert Recipe.of(file).size == 3
    file.write_bytes("size: 3\n".encode("utf-16"))
    with pytest.raises(RecipeError, match="expected UTF-8"):
        Recipe.of(file)


def test_a_repeated_word_as_a_keyword_is_refused(tmp_path):
    """A keyword of a hundred thousand words, which would copy each place in which it is found, is too long."""
    assert tmp_path.is_dir()
    with pytest.raises(ConfigError, match="expected up to 200 characters"):
        load_concepts({"x": ["a " * 50_000]})


def test_mutated_recipes_end_in_a_plan_or_in_one_line(tmp_path):
    """A few hundred mutated recipes raise nothing but errors of the library."""
    state = fuzzer.prepare(tmp_path)
    for seed in range(250):
        with suppress(RecipeError):
            fuzzer.attempt(random.Random(seed), state, tmp_path)
    assert sys.getrecursionlimit() >= 1000
