"""Every knob of a mix, with default, unit, range and source; YAML in, JSON schema out."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003  pydantic reads the annotation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema

from recipe.errors import ConfigError
from recipe.recipe_files import explain, load_recipe
from recipe.sizes import read_size

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(NamedTuple):
    """A file of a room (or a callable) and the knobs it is called with."""

    name: str | Callable[..., Any]
    knobs: dict[str, Any]

    @property
    def label(self) -> str:
        """The name of the file, or of the callable."""
        return self.name if isinstance(self.name, str) else getattr(self.name, "__name__", type(self.name).__name__)


def _step(given: object) -> Step:
    """Understand ``name``, ``{name: {knob: value}}``, a callable, or a Step."""
    if isinstance(given, Step):
        return given
    if isinstance(given, str) or callable(given):
        return Step(given, {})
    if isinstance(given, dict) and len(given) == 1:
        ((name, knobs),) = given.items()
        if isinstance(name, str) and (knobs is None or isinstance(knobs, dict)):
            return Step(name, dict(knobs or {}))
    raise ValueError(f"expected a name, or {{name: {{knob: value}}}}, got {given!r}")


def _plain(step: Step) -> str | dict[str, Any]:
    """Write a step as a recipe file would have it."""
    name = step.name if isinstance(step.name, str) else f"{step.name.__module__}.{step.name.__qualname__}"
    return {name: step.knobs} if step.knobs else name


Room = Annotated[
    Step,
    BeforeValidator(_step),
    PlainSerializer(_plain),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "maxProperties": 1}]}),
]


def _default(given: object) -> Any:
    """Make a default of what a recipe file would say."""
    return Field(default=given)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)


class Source(_Frozen):
    """One place that samples come from."""

    path: str
    """A file, a folder, or a glob."""
    name: str | None = None
    """What `source` says of its samples; by default the path below the folder that all sources share."""
    format: str | None = None
    """svit, llava, vision_flan, minigpt4; recognised by its content if not given."""


def _source(given: object) -> object:
    """Understand a bare path."""
    return {"path": str(given)} if isinstance(given, str | Path) else given


class Read(_Frozen):
    """How files become samples."""

    boxes: Literal["square", "keep"] = "square"
    """Whether SVIT's boxes are padded to the square that LLaVA-v1.5 shows its images on (TRAINER_CONTRACT: as SVIT's
    own LLaVA files), or kept on the original image."""
    image_data: str | None = None
    """Visual Genome's image_data.json; by default the one beside the SVIT files."""
    images: str | None = None
    """Folder of the images, for sizes that image_data.json does not know."""
    suffix_seed: int = 0
    """Draws which of SVIT's three sentences each referring question gets. Kept apart from `seed`, so that a sample
    keeps its key when only the selection changes."""
    image_token: Literal["front", "given"] = "front"  # noqa: S105  a mark in a text, no secret
    """Whether `<image>` is moved to the start of the first question, where LLaVA's loader would move it, or left where
    it is harmless."""
    lenient: bool = False
    """Whether the sound records of a damaged file are read, and the damage is listed among the rejects, instead of
    refusing the file."""


class Tag(_Frozen):
    """How samples are labelled."""

    concepts: str | None = None
    """YAML file of concepts and their keywords; the shipped list (MME and MMBench) by default."""
    min_frequency: float = Field(default=0, ge=0)
    """Keywords found in fewer samples of the pool are dropped: a count from 1 on, or a share below 1."""


class Dedup(_Frozen):
    """Which samples count as the same."""

    exact: bool = True
    """Whether samples with the same image and the same turns count as one."""
    near: float | None = Field(default=0.9, gt=0, le=1)
    """Jaccard similarity of word sets from which samples of one image count as one; null to leave them. 0.9 is the
    default of semhash, and drops little else than changed punctuation and single words of long texts."""
    across_images: bool = False
    """Whether near duplicates are sought across images too: the same answer about another picture is no duplicate."""


class Balance(_Frozen):
    """What the mix should hold how much of."""

    margins: dict[str, Room] = _default({"task": {"temperature": {"t": 2.0}}, "cluster": {"temperature": {"t": 1.25}}})
    """Column (task, source, task_name, answer, cluster, ...) to rule (proportional, temperature, capped, even, shares).
    Where they contradict each other the later one is met. Temperature 2 for tasks is the best one T5 tried (section
    3.5.2)."""
    yes_share: float | None = Field(default=0.5, ge=0, le=1)
    """Share of yes among all yes and no answers, several in a sample counted each; null to leave it open. One half is
    the balance of SVIT's data recipe."""
    at_most: dict[str, dict[str, Annotated[int, Field(ge=0)]]] = {}
    """Column to value to the most samples of it, as ``source: {llava_mix.json: 5000}``."""
    per_image: int | None = Field(default=None, ge=1)
    """The most samples of one image; null for no limit."""


class Write(_Frozen):
    """How the mix is written."""

    path: str = "mix.json"
    """``.json`` for the array that LLaVA reads, ``.jsonl`` for a record a line."""
    ids: Literal["string", "given"] = "string"
    """Whether ids that were numbers are written as strings (Arrow readers refuse a mixture), or as they were given."""
    pack: bool = False
    """Whether picked single-question samples of one image are merged into one record, as LLaVA did for its VQA
    sources."""
    max_tokens: int = Field(default=1472, ge=1)
    """The most tokens of a merged record: LLaVA-v1.5's context of 2,048 less 576 for the image."""


def _size(given: object) -> object:
    """Refuse a size that no rule can read."""
    read_size(given)
    return given


class Recipe(_Frozen):
    """Every knob of a mix; frozen, and the whole of what decides its bytes beside the samples.

    Examples
    --------
    >>> Recipe(size=1000).select.name
    'facility'
    >>> Recipe.of({"size": "20M tokens"}, seed=3).seed
    3
    """

    sources: tuple[Annotated[Source, BeforeValidator(_source)], ...] = ()
    """Files, folders and globs that samples are read from, relative to the working directory."""
    size: Annotated[int | float | str, BeforeValidator(_size)] = 0.2
    """Samples in the mix: a count (1 and more), a share of the eligible samples (0..1), or tokens ("20M tokens"). A
    fifth is the budget that published selections are compared at (COINCIDE, ICONS)."""
    seed: int = 0
    """The one seed of every random choice of the selection."""
    read: Read = Read()
    tag: Tag = Tag()
    embed: Room = _default("hashing")
    """hashing (offline), text (a sentence-transformers model), cached (vectors of your own)."""
    dedup: Dedup = Dedup()
    cluster: Room = _default("kmeans")
    """kmeans; the clusters are a margin of the balance, and the neighbourhoods in which samples are scored."""
    score: tuple[Room, ...] = _default(("novelty", "density", "coverage", "balance", "length"))
    """What every sample is scored by."""
    balance: Balance = Balance()
    select: Room = _default({"facility": {"concepts": 0.02, "quality": {"length": 0.05}}})
    """facility, kcenter, concepts, random."""
    write: Write = Write()

    def __init__(self, **knobs: object) -> None:
        try:
            super().__init__(**knobs)
        except ValidationError as error:
            model = Source if error.errors()[0]["loc"][:1] == ("sources",) else Recipe
            raise ConfigError(explain(error, model)) from None

    @classmethod
    def of(cls, recipe: Recipe | Mapping[str, Any] | str | Path | None = None, **knobs: object) -> Recipe:
        """Make a recipe from a recipe, a mapping, a YAML file, or the name of a preset, and knobs that go before it.

        Parameters
        ----------
        recipe
            What to start from; the defaults by default.
        **knobs
            Fields of `Recipe`; those that are None are left as they are. A mapping for `read`, `tag`, `dedup`,
            `balance` or `write` changes the fields it names only.

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
            given |= {name: getattr(recipe, name) for name in ("embed", "cluster", "score", "select")}
            given["balance"] = {**given["balance"], "margins": recipe.balance.margins}
        for name, value in knobs.items():
            if value is not None:
                merges = isinstance(value, dict) and isinstance(given.get(name, {}), dict) and name in _SECTIONS
                given[name] = {**given.get(name, {}), **value} if merges and isinstance(value, dict) else value
        try:
            return cls(**given)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None

    def to_yaml(self) -> str:
        """Write the whole recipe, every default included, as YAML."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


_SECTIONS = ("read", "tag", "dedup", "balance", "write")
