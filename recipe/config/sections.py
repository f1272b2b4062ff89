"""The sections of a recipe: every knob with default, unit, range and source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from recipe.config.code import name_of
from recipe.config.ranges import (
    FilePath,
    From0,
    From1,
    Integer,
    Name,
    Share,
    Similarity,
    Switch,
    Text,
    Weight,
)
from recipe.config.registry import fitting, names
from recipe.config.size import read_size
from recipe.config.step import Room, room_default
from recipe.config.writers import as_user_said, ending_of
from recipe.errors import ConfigError

DEFAULT_PATH = "mix.json"
Function = Annotated[
    str | Callable[..., Any],
    PlainSerializer(lambda given: name_of(given) or given, when_used="json"),
    WithJsonSchema({"type": "string"}),
]


class Frozen(BaseModel):
    """A section of a recipe: it is frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)


class Source(Frozen):
    """One source of samples."""

    path: FilePath
    """A file, a folder, or a glob."""
    name: Name | None = None
    """The value of `source` for its samples; by default the path below the common folder of all sources."""
    format: Function | None = None
    """A reader of `recipe.stages.read`, as llava, messages or svit, or your own (``module:function``); by default
    the one that is surest of a sample of its records."""


def understand_source(given: object) -> object:
    """Turn a path into the keys of a source."""
    return {"path": str(given)} if isinstance(given, str | Path) else given


class Read(Frozen):
    """How samples are read from files."""

    boxes: Literal["square", "keep"] = "square"
    """Whether SVIT's boxes are converted to the square to which LLaVA-v1.5 pads images (TRAINER_CONTRACT: as in SVIT's
    own LLaVA files), or kept on the original image."""
    boxes_frame: Literal["unit", "square", "thousand", "pixels"] | None = None
    """What the coordinates of boxes refer to in sources that do not say so: 0..1 of the image (unit), 0..1 of the image
    padded to a square (square, as LLaVA's), 0..1000 (thousand), or pixels; null where it is not known, and then they
    are not converted."""
    image_data: FilePath | None = None
    """Visual Genome's image_data.json; by default the one beside the SVIT files."""
    images: FilePath | None = None
    """Folder of the images, for sizes that are not in image_data.json."""
    suffix_seed: Integer = 0
    """Any integer: the seed by which each referring question gets one of SVIT's three sentences. It is separate from
    `seed`, so that a sample keeps its key when only the selection changes."""
    image_token: Literal["front", "given"] = "front"  # noqa: S105  a mark in a text, no secret
    """Whether `<image>` is moved to the start of the first question, as LLaVA's loader does, or left where it is
    harmless."""
    lenient: Switch = False
    """Whether the valid records of a damaged file are read, and the others listed among the rejects, instead of
    refusing the file."""


class Tag(Frozen):
    """How samples are labelled."""

    concepts: FilePath | None = None
    """YAML file of concepts and their keywords; the shipped list (MME and MMBench) by default."""
    min_frequency: Weight = 0
    """Keywords found in fewer samples of the pool are dropped: a count from 1, or a share below 1."""


def _text(given: object) -> object:
    """Turn an id that YAML reads as a number into text."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


class Exclude(Frozen):
    """Benchmarks that must not be trained on: a sample that matches one is rejected, with the place that it matches."""

    images: tuple[Annotated[str, BeforeValidator(_text)], ...] = ()
    """Ids, paths or hashes of images, or files that name them: text with one per line, as SVIT's test_image_ids.txt, or
    the records of a benchmark as JSON, JSON Lines or a table."""
    questions: tuple[FilePath, ...] = ()
    """Files of benchmark questions: one question per line, JSON, JSON Lines, or a table."""
    ngram: From1 | None = 13
    """The length in words of a sequence that a sample may not share with a question; null for no check. 13 is GPT-3's
    (Brown et al. 2020, appendix C)."""
    similarity: Similarity | None = 0.95
    """Cosine of the word vectors of two questions from which they count as the same; null for no check."""


class Dedup(Frozen):
    """Which samples count as duplicates."""

    exact: Switch = True
    """Whether samples with the same image and the same turns are duplicates."""
    near: Similarity | None = 0.9
    """Jaccard similarity of word sets from which samples of one image are duplicates; null to keep them. 0.9 is the
    default of semhash, and finds little else than changed punctuation and single words of long texts."""
    across_images: Switch = False
    """Whether near duplicates are also searched for across images. By default they are not, since the same answer about
    another image is no duplicate."""
    semantic: Similarity | None = None
    """Cosine of vectors from which samples of one cluster are duplicates; null, the default, to keep them."""


class Balance(Frozen):
    """The composition of the mix: shares of tasks, answers, clusters and sources, and limits."""

    margins: dict[Text, Room] = room_default(
        {
            "answer": {"temperature": {"t": 1.25}},
            "task": {"temperature": {"t": 1.5}},
            "cluster": {"temperature": {"t": 1.25}},
        }
    )
    """Column (task, source, dataset, task_name, answer, cluster, ...), or the first of several that a sample has
    (``task_name|dataset|source``), to rule (proportional, temperature, capped, even, shares; coincide, dbp and
    hierarchical use vectors). Where margins contradict each other, the later one is met. The temperatures were tuned on
    half of the images of 158,664 real samples, see benchmarks/README.md; T5 (section 3.5.2) found 2 best for tasks."""
    yes_share: Share | None = 0.5
    """Share of yes among all yes and no answers, each answer of a sample counted; null for no target. One half is the
    balance of SVIT's data recipe."""
    at_most: dict[Text, dict[str, From0]] = {}
    """Column to value to the maximum number of its samples, as ``source: {llava_mix.json: 5000}``."""
    per_image: From1 | None = None
    """The maximum number of samples of one image; null for no limit."""


def understand_size(given: object) -> object:
    """Raise if a size is not valid."""
    read_size(given)
    return given


Size = Annotated[int | float | str, BeforeValidator(understand_size)]


def _understand_part(given: object) -> object:
    """Raise if the size of a part is neither a count, nor a share, nor `all`, nor None for the rest."""
    try:
        fits = given in ("all", None) or read_size(given)[1] != "tokens"
    except ConfigError:
        fits = False
    if not fits:
        raise PydanticCustomError("no_size", "expected a count, a share or all as the size of a part")
    return given


class Part(Frozen):
    """A part of a mix, picked by its own rules from a subset of the pool."""

    where: dict[str, tuple[str, ...]] = {}
    """Column (task, source, dataset, ...) to the values that a sample may have; every column must match."""
    where_not: dict[str, tuple[str, ...]] = {}
    """Column to values that a sample may not have; a sample without a value passes."""
    size: Annotated[int | float | str | None, BeforeValidator(_understand_part)] = None
    """A count, a share of the whole mix (0..1], or `all`: every sample that matches, picked before any other part, and
    including duplicates, which a published mix has on purpose. One part may have no size: it picks what the others
    leave of the recipe's size, and what they lack where a shortfall is allowed. If every part has one, they must sum to
    the recipe's size, unless that is left out; shares are of the recipe's size."""
    balance: Balance | None = None
    """The balance of the part; the recipe's by default. A part of size `all` has none."""
    select: Room | None = None
    """The selector of the part; the recipe's by default."""


def _understand_writer(given: object) -> object:
    """Accept the names of trainers as users say them, as llava-next."""
    if isinstance(given, str):
        return as_user_said(given)
    if isinstance(given, dict):
        return {as_user_said(name) if isinstance(name, str) else name: knobs for name, knobs in given.items()}
    return given


class Write(Frozen):
    """How the mix is written."""

    path: FilePath = DEFAULT_PATH
    """``.json`` for the array that LLaVA reads, ``.jsonl`` for JSON Lines, and what the format of another trainer has,
    which the default has then too; any ending for a writer of your own."""
    format: Annotated[Room, BeforeValidator(_understand_writer)] | None = None
    """The trainer that the mix is for: llava, llava-next, llama-factory, swift, trl, qwen-vl, internvl, webdataset; or
    jsonl for LLaVA's records in lines, or a writer of your own (``module:function``). By default chosen by the ending
    of the path."""
    ids: Literal["string", "given"] = "string"
    """Whether ids that were numbers are written as strings (Arrow readers refuse mixed types), or unchanged."""
    records: Literal["made", "given"] = "made"
    """Whether records of LLaVA files are made from the samples, or written as they were read: every key, type and
    space. Those that would stop LLaVA, and samples of other formats, are made from the samples in any case."""
    order: Literal["picked", "shuffled"] = "picked"
    """Whether records are in pick order, or in a random order that depends on the seed."""
    files: Literal["one", "parts"] = "one"
    """Whether a recipe with parts is written as one file, or each part as its own file."""
    pack: Switch = False
    """Whether picked single-question samples of one image are merged into one record, as LLaVA did for its VQA
    sources."""
    max_tokens: From1 = 1472
    """The maximum number of tokens of a merged record: LLaVA-v1.5's context of 2,048 less 576 for the image."""

    @model_validator(mode="after")
    def _can_be_both(self) -> Self:
        """Raise if records should both be merged and stay unchanged."""
        if self.pack and self.records == "given":
            raise ValueError("pack merges records, and records=given keeps them unchanged; choose one")
        if self.records == "given" and self.format is not None and self.format.name in names("write"):
            label = self.format.label.replace("_", "-")
            if not fitting("write", self.format.name, {"originals": None}):
                raise ValueError(f"records=given keeps LLaVA's records, and those for {label} are made; choose one")
        return self

    @model_validator(mode="after")
    def _with_its_ending(self) -> Self:
        """Give a mix that was not named the ending of its format."""
        if self.path == DEFAULT_PATH and self.format is not None and self.format.name in names("write"):
            object.__setattr__(self, "path", f"mix{ending_of(self.format)}")  # frozen, but still under construction
        return self
