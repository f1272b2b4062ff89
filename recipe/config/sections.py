"""The sections of a recipe: every knob with default, unit, range and source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from recipe.config.code import name_of
from recipe.config.size import read_size
from recipe.config.step import Room, room_default
from recipe.errors import ConfigError

Function = Annotated[
    str | Callable[..., Any],
    PlainSerializer(lambda given: name_of(given) or given, when_used="json"),
    WithJsonSchema({"type": "string"}),
]


class Frozen(BaseModel):
    """A part of a recipe: it never changes, and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)


class Source(Frozen):
    """One place that samples come from."""

    path: str
    """A file, a folder, or a glob."""
    name: str | None = None
    """What `source` says of its samples; by default the path below the folder that all sources share."""
    format: Function | None = None
    """svit, llava, vision_flan, minigpt4, or a reader of your own (``module:function``); the reader that is surest of
    its records if not given."""


def understand_source(given: object) -> object:
    """Understand a bare path."""
    return {"path": str(given)} if isinstance(given, str | Path) else given


class Read(Frozen):
    """How files become samples."""

    boxes: Literal["square", "keep"] = "square"
    """Whether SVIT's boxes are padded to the square that LLaVA-v1.5 shows its images on (TRAINER_CONTRACT: as SVIT's
    own LLaVA files), or kept on the original image."""
    image_data: str | None = None
    """Visual Genome's image_data.json; by default the one beside the SVIT files."""
    images: str | None = None
    """Folder of the images, for sizes that image_data.json does not know."""
    suffix_seed: int = 0
    """Any integer: draws which of SVIT's three sentences each referring question gets. Kept apart from `seed`, so that
    a sample keeps its key when only the selection changes."""
    image_token: Literal["front", "given"] = "front"  # noqa: S105  a mark in a text, no secret
    """Whether `<image>` is moved to the start of the first question, where LLaVA's loader would move it, or left where
    it is harmless."""
    lenient: bool = False
    """Whether the sound records of a damaged file are read, and the damage is listed among the rejects, instead of
    refusing the file."""


class Tag(Frozen):
    """How samples are labelled."""

    concepts: str | None = None
    """YAML file of concepts and their keywords; the shipped list (MME and MMBench) by default."""
    min_frequency: float = Field(default=0, ge=0)
    """Keywords found in fewer samples of the pool are dropped: a count from 1 on, or a share below 1."""


def _text(given: object) -> object:
    """Understand an id that YAML reads as a number."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


class Exclude(Frozen):
    """What a benchmark holds must not be trained on: each hit is a reject that names the place it hit."""

    images: tuple[Annotated[str, BeforeValidator(_text)], ...] = ()
    """Ids or paths of images, or text files that list one a line, as SVIT's test_image_ids.txt."""
    questions: tuple[str, ...] = ()
    """Files of benchmark questions: a question a line, JSON, or JSON Lines."""
    ngram: int | None = Field(default=13, ge=1)
    """Words in a row that a sample may not share with a question; null not to look. 13 is GPT-3's (Brown et al. 2020,
    appendix C)."""
    similarity: float | None = Field(default=0.95, gt=0, le=1)
    """Cosine of a question's words to a benchmark's from which they count as the same; null not to look."""


class Dedup(Frozen):
    """Which samples count as the same."""

    exact: bool = True
    """Whether samples with the same image and the same turns count as one."""
    near: float | None = Field(default=0.9, gt=0, le=1)
    """Jaccard similarity of word sets from which samples of one image count as one; null to leave them. 0.9 is the
    default of semhash, and drops little else than changed punctuation and single words of long texts."""
    across_images: bool = False
    """Whether near duplicates are sought across images too: the same answer about another picture is no duplicate."""
    semantic: float | None = Field(default=None, gt=0, le=1)
    """Cosine of vectors from which samples of one cluster count as one; null, the default, to leave them."""


class Balance(Frozen):
    """What the mix should hold how much of."""

    margins: dict[str, Room] = room_default(
        {
            "answer": {"temperature": {"t": 1.25}},
            "task": {"temperature": {"t": 1.5}},
            "cluster": {"temperature": {"t": 1.25}},
        }
    )
    """Column (task, source, dataset, task_name, answer, cluster, ...), or the first of several that a sample has
    (``task_name|dataset|source``), to rule (proportional, temperature, capped, even, shares; coincide, dbp and
    hierarchical look at vectors). Where they contradict each other the later one is met. The temperatures were tuned on
    half of the images of 158,664 real samples, see benchmarks/README.md; T5 (section 3.5.2) found 2 best for tasks."""
    yes_share: float | None = Field(default=0.5, ge=0, le=1)
    """Share of yes among all yes and no answers, several in a sample counted each; null to leave it open. One half is
    the balance of SVIT's data recipe."""
    at_most: dict[str, dict[str, Annotated[int, Field(ge=0)]]] = {}
    """Column to value to the most samples of it, as ``source: {llava_mix.json: 5000}``."""
    per_image: int | None = Field(default=None, ge=1)
    """The most samples of one image; null for no limit."""


def understand_size(given: object) -> object:
    """Refuse a size that no rule can read."""
    read_size(given)
    return given


Size = Annotated[int | float | str, BeforeValidator(understand_size)]


def _understand_part(given: object) -> object:
    """Refuse a size that is neither a count, nor a share, nor all, nor the rest."""
    if given not in ("all", None) and read_size(given)[1] == "tokens":
        raise ConfigError(f"expected a count, a share or all as the size of a part, got size={given!r}")
    return given


class Part(Frozen):
    """A part of a mix, picked by its own rules from some of the pool."""

    where: dict[str, tuple[str, ...]] = {}
    """Column (task, source, dataset, ...) to the values that a sample may have; all of them must hold."""
    where_not: dict[str, tuple[str, ...]] = {}
    """Column to values that a sample may not have; one that has no value passes."""
    size: Annotated[int | float | str | None, BeforeValidator(_understand_part)] = None
    """A count, a share of the whole mix (0..1], or `all`: whatever matches, before any other part picks, and even
    duplicates, for a published mix has them on purpose. One part may be without: it picks what the others leave of the
    recipe's size. If none is, the sizes of the parts add up to the mix, and the recipe's is what shares are of."""
    balance: Balance | None = None
    """Its margins; the recipe's by default. A part of size `all` has none."""
    select: Room | None = None
    """Its selector; the recipe's by default."""


class Write(Frozen):
    """How the mix is written."""

    path: str = "mix.json"
    """``.json`` for the array that LLaVA reads, ``.jsonl`` for a record a line; any ending for a writer of your own."""
    format: Room | None = None
    """llava, jsonl, or a writer of your own (``module:function``); by the ending of the path if not given."""
    ids: Literal["string", "given"] = "string"
    """Whether ids that were numbers are written as strings (Arrow readers refuse a mixture), or as they were given."""
    records: Literal["made", "given"] = "made"
    """Whether records of LLaVA files are made anew, or written as they were read: every key, type and blank. Those that
    would stop LLaVA, and samples of other formats, are made either way."""
    order: Literal["picked", "shuffled"] = "picked"
    """Whether records stand in pick order, or in one that the seed draws."""
    files: Literal["one", "parts"] = "one"
    """Whether a recipe of parts is written as one file, or each part as a file of its own."""
    pack: bool = False
    """Whether picked single-question samples of one image are merged into one record, as LLaVA did for its VQA
    sources."""
    max_tokens: int = Field(default=1472, ge=1)
    """The most tokens of a merged record: LLaVA-v1.5's context of 2,048 less 576 for the image."""

    @model_validator(mode="after")
    def _can_be_both(self) -> Self:
        """Refuse to merge records that are to stay as they are."""
        if self.pack and self.records == "given":
            raise ValueError("pack merges records, which records=given leaves as they are; choose one")
        return self
