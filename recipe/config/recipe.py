"""Every knob of a mix in one frozen object; YAML in, JSON schema out. `recipe.config.sections` has its sections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import yaml
from pydantic import BeforeValidator, ValidationError, model_validator

from recipe.config.aliases import score_of_today, selector_of_today
from recipe.config.files import explain, load_recipe
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
from recipe.config.step import Room, room_default
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Recipe(Frozen):
    """Every knob of a mix; frozen, and the whole of what decides its bytes beside the samples.

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
    fifth is the budget that published selections are compared at (COINCIDE, ICONS)."""
    seed: int = 0
    """The one seed of every random choice of the selection: any integer."""
    read: Read = Read()
    tag: Tag = Tag()
    embed: Room = room_default("hashing")
    """hashing (offline), text (a sentence-transformers model), cached (vectors of your own)."""
    exclude: Exclude = Exclude()
    dedup: Dedup = Dedup()
    cluster: Room = room_default("kmeans")
    """kmeans; the clusters are a margin of the balance, and the neighbourhoods in which samples are scored."""
    score: tuple[Room, ...] = room_default(("novelty", "density", "concept_coverage", "balance", "length"))
    """What every sample is scored by, in this order, so that a score may be made of those before it; `called` gives one
    a name of its own."""
    balance: Balance = Balance()
    select: Room = room_default({"facility": {"concepts": 0.02, "quality": {"length": 0.05, "novelty": 0.15}}})
    """facility, mixture, knapsack, mmr, dpp, graph_cut, herding, deita, kcenter, concepts, ranked, weighted, given,
    random."""
    parts: dict[str, Part] = room_default({})
    """Name to part, for a mix that is picked part by part, in this order; no sample is picked twice."""
    write: Write = Write()

    def __init__(self, **knobs: object) -> None:
        try:
            super().__init__(**knobs)
        except ValidationError as error:
            model = Source if error.errors()[0]["loc"][:1] == ("sources",) else Recipe
            raise ConfigError(explain(error, model)) from None

    @model_validator(mode="after")
    def _names_of_today(self) -> Self:
        """Understand the names that earlier versions used."""
        called = {step.label for step in self.score if step.called}
        parts = {
            name: part.model_copy(update={"select": selector_of_today(part.select, called)}) if part.select else part
            for name, part in self.parts.items()
        }
        today = {
            "score": tuple(score_of_today(step) for step in self.score),
            "select": selector_of_today(self.select, called),
            "parts": parts,
        }
        for name, value in today.items():
            object.__setattr__(self, name, value)  # it is frozen, and nobody has seen it yet
        return self

    @classmethod
    def of(cls, recipe: Recipe | Mapping[str, Any] | str | Path | None = None, **knobs: object) -> Recipe:
        """Make a recipe from a recipe, a mapping, a YAML file, or the name of a preset, and knobs that go before it.

        Parameters
        ----------
        recipe
            What to start from; the defaults by default.
        **knobs
            Fields of `Recipe`; those that are None are left as they are. A mapping for `read`, `tag`, `exclude`,
            `dedup`, `balance` or `write` changes the fields it names only.

        Returns
        -------
        Recipe
            Checked as far as it can be without a pool.

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
        if isinstance(recipe, Recipe):  # callables do not survive a dump
            given |= {name: getattr(recipe, name) for name in ("embed", "cluster", "score", "select", "parts")}
            given["balance"] = {**given["balance"], "margins": recipe.balance.margins}
        for name, value in knobs.items():
            if value is not None:
                merges = isinstance(value, dict) and isinstance(given.get(name, {}), dict) and name in _SECTIONS
                given[name] = {**given.get(name, {}), **value} if merges and isinstance(value, dict) else value
        try:
            return cls(**given)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None

    def with_keys(self, given: Iterable[str]) -> Recipe:
        """Return a recipe with some keys set, as the command line names them.

        Parameters
        ----------
        given
            ``key=value`` each: a key with its path, and a value as a recipe file would have it.

        Returns
        -------
        Recipe
            With all other keys as they were.

        Raises
        ------
        ConfigError
            If one is not of that form, or its key or value is refused.

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
            try:
                value = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ConfigError(f"{one}: cannot read the value: {' '.join(str(error).split())}") from None
            if not equals or not all(names):
                raise ConfigError(f"expected key=value, got {one!r}; write it as in balance.per_image=3")
            whole = plan.model_dump()
            inside: Any = whole if len(names) == 1 else {names[-1]: value}
            for depth in range(len(names) - 2, 0, -1):
                here: Any = whole
                for name in names[: depth + 1]:
                    here = here.get(name, {}) if isinstance(here, dict) else {}
                inside = {names[depth]: {**(here if isinstance(here, dict) else {}), **inside}}
            plan = Recipe.of(plan, **{names[0]: value if len(names) == 1 else inside})
        return plan

    def to_yaml(self) -> str:
        """Write the whole recipe, every default included, as YAML."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


_SECTIONS = ("read", "tag", "exclude", "dedup", "balance", "write")
