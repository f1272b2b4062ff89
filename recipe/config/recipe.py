"""Every knob of a mix in one frozen object, read from YAML. `recipe.config.sections` has its sections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BeforeValidator, ValidationError, model_validator

from recipe.config.aliases import with_current_name, with_current_scores
from recipe.config.files import annotation_at, explain, load_recipe
from recipe.config.knobs import shown
from recipe.config.ranges import Integer, PartName
from recipe.config.sections import (
    Balance,
    Dedup,
    Exclude,
    Frozen,
    Part,
    Read,
    Size,
    Source,
    Tag,
    Write,
    understand_source,
)
from recipe.config.step import Room, Step, room_default
from recipe.errors import ConfigError
from recipe.io.yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Recipe(Frozen):
    """Every knob of a mix, frozen: the recipe and the samples together determine the bytes of the mix.

    Examples
    --------
    >>> Recipe(size=1000).select.name
    'facility'
    >>> Recipe.of({"size": "20M tokens"}, seed=3).seed
    3
    """

    sources: tuple[Annotated[Source, BeforeValidator(understand_source)], ...] = ()
    """Files, folders and globs that samples are read from, relative to the working directory."""
    size: Size = 0.2
    """Samples in the mix: a count (1 and more), a share of the eligible samples (0..1), or tokens ("20M tokens"). A
    fifth is the size at which published selections are compared (COINCIDE, ICONS)."""
    shortfall: Literal["refuse", "allow"] = "refuse"
    """What happens if the pool cannot give the size: an error (refuse), or the largest smaller mix that keeps the share
    of yes and all limits (allow)."""
    seed: Integer = 0
    """The one seed of every random choice of the selection: any integer."""
    read: Read = Read()
    tag: Tag = Tag()
    embed: Room = room_default("hashing")
    """hashing (offline), text (a sentence-transformers model), cached (vectors of your own)."""
    exclude: Exclude = Exclude()
    dedup: Dedup = Dedup()
    cluster: Room = room_default("kmeans")
    """kmeans; the clusters are a margin of the balance, and samples are scored within them."""
    score: tuple[Room, ...] = room_default(("novelty", "density", "concept_coverage", "balance", "length"))
    """The scores of every sample, in this order, so that one can use those before it; `called` gives one a name."""
    balance: Balance = Balance()
    select: Room = room_default({"facility": {"concepts": 0.02, "quality": {"length": 0.05, "novelty": 0.15}}})
    """facility, mixture, knapsack, mmr, dpp, graph_cut, herding, deita, kcenter, concepts, ranked, weighted, given,
    random."""
    parts: dict[PartName, Part] = room_default({})
    """Name to part, for a mix that is picked in parts, in this order; no sample is picked twice."""
    write: Write = Write()

    def __init__(self, **knobs: object) -> None:
        try:
            super().__init__(**knobs)
        except ValidationError as error:
            raise ConfigError(explain(error, Recipe)) from None

    @model_validator(mode="after")
    def _with_current_names(self) -> Self:
        """Replace former names by current ones."""
        called = {step.label for step in self.score if step.called}
        parts = {
            name: part.model_copy(update={"select": with_current_scores(part.select, called)}) if part.select else part
            for name, part in self.parts.items()
        }
        current = {
            "score": tuple(with_current_name(step) for step in self.score),
            "select": with_current_scores(self.select, called),
            "parts": parts,
        }
        for name, value in current.items():
            object.__setattr__(self, name, value)  # frozen, but still under construction
        return self

    @classmethod
    def of(cls, recipe: Recipe | Mapping[str, Any] | str | Path | None = None, **knobs: object) -> Recipe:
        """Make a recipe from a recipe, a mapping, a YAML file, or the name of a preset, and knobs that override it.

        Parameters
        ----------
        recipe
            The recipe to change; the default one by default.
        **knobs
            Fields of `Recipe`; None leaves a field unchanged. A mapping for `read`, `tag`, `exclude`, `dedup`,
            `balance` or `write` changes only the keys that it has.

        Returns
        -------
        Recipe
            Validated as far as is possible without a pool.

        Raises
        ------
        ConfigError
            If a knob is unknown or out of its range.
        InputError
            If a file cannot be read.
        """
        where = "recipe"
        if isinstance(recipe, str | Path):
            where, recipe = str(recipe), load_recipe(recipe)
        given = recipe.model_dump() if isinstance(recipe, Recipe) else dict(recipe or {})
        if isinstance(recipe, Recipe):  # a dump would not keep callables
            given |= {name: getattr(recipe, name) for name in ("embed", "cluster", "score", "select", "parts")}
            given["balance"] = {**given["balance"], "margins": recipe.balance.margins}
        for name, value in knobs.items():
            if value is not None:
                merges = isinstance(value, dict) and isinstance(given.get(name, {}), dict) and name in _SECTIONS
                given[name] = {**given.get(name, {}), **value} if merges and isinstance(value, dict) else value
        if odd := [key for key in given if not isinstance(key, str)]:
            raise ConfigError(f"{where}: expected names as keys, got {shown(odd[0])}")
        try:
            return cls(**given)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None

    def with_keys(self, given: Iterable[str]) -> Recipe:
        """Return a recipe with some keys set, as by `--set` on the command line.

        Parameters
        ----------
        given
            ``key=value`` each: the path of a key, and a value as in a recipe file.

        Returns
        -------
        Recipe
            With all other keys unchanged.

        Raises
        ------
        ConfigError
            If one is not of that form, or its key or value is not valid.

        Examples
        --------
        >>> changed = Recipe().with_keys(["balance.per_image=3", "balance.margins.task=even"])
        >>> changed.balance.per_image, changed.balance.margins["task"].name
        (3, 'even')
        """
        plan = self
        for one in given:
            path, equals, text = one.partition("=")
            names = path.strip().split(".")
            if not equals or not all(names):
                raise ConfigError(f"expected key=value, got {one!r:.80}; write it as in balance.per_image=3")
            value = load_yaml(text, f"{path.strip():.60}: cannot read the value", kind=ConfigError)
            whole = plan.model_dump()
            nested: Any = whole if len(names) == 1 else {names[-1]: value}
            for depth in range(len(names) - 2, 0, -1):
                nested = {names[depth]: _merged(whole, names[: depth + 1], nested)}
            plan = Recipe.of(plan, **{names[0]: value if len(names) == 1 else nested})
        return plan

    def to_yaml(self) -> str:
        """Return the whole recipe, including every default, as YAML."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _merged(whole: Any, names: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in a place of a recipe, with some keys set; another function replaces the one before."""
    section = whole
    for name in names:
        section = section.get(name, {}) if isinstance(section, dict) else {}
    step, above = (get_args(annotation_at(tuple(place), Recipe))[:1] == (Step,) for place in (names, names[:-1]))
    other = step and not above and isinstance(section, dict) and not section.keys() & given.keys()
    return given if other or not isinstance(section, dict) else {**section, **given}


_SECTIONS = ("read", "tag", "exclude", "dedup", "balance", "write")
