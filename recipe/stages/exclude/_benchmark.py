"""What is looked for: read from a benchmark's files, and filed by how it is found."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.data.words import words_of
from recipe.errors import InputError, ShortQuestions
from recipe.stages.exclude._questions import TABLES, Question, read_lines, read_questions
from recipe.stages.exclude._turns import bare
from recipe.stages.exclude.images import ENDINGS, file_names, marks_of_name
from recipe.stages.exclude.ngram import Runs
from recipe.stages.exclude.similar import Bags

if TYPE_CHECKING:
    from collections.abc import Sequence


class Asked(NamedTuple):
    """How it is looked for."""

    ngram: int | None
    similarity: float | None
    prompts: str


class Benchmark(NamedTuple):
    """What is looked for, as tables that travel as files."""

    names: pl.DataFrame
    """A line an image: name, place."""
    questions: pl.DataFrame
    """A line a question: place, question, whole, image; without what says how to answer."""


class Known(NamedTuple):
    """What is looked for, filed by how it is found."""

    images: dict[str, tuple[int, str]]
    places: list[str]
    runs: Runs | None
    bags: Bags | None
    asked_of: pl.DataFrame
    """A line a bag and mark: bag, mark (of the image that a sample must have; null for any), its first question."""


def read_benchmark(images: Sequence[str], questions: Sequence[str], prompts: str = "") -> Benchmark:
    """Read what a benchmark holds; `find_leaks` says what the files may be."""
    names = [told for given in images for told in _names(given)]
    told = [question for path in questions for question in read_questions(path)]
    table = pl.DataFrame(told, schema=dict.fromkeys(Question._fields, pl.String()), orient="row")
    return Benchmark(
        pl.DataFrame(names, schema={"name": pl.String(), "place": pl.String()}, orient="row"),
        table.with_columns(bare("question", prompts), bare("whole", prompts)),
    )


def _names(given: str) -> list[tuple[str, str]]:
    """Return the images that one knob names, each with its place."""
    file = Path(given)
    ending = file.suffix.lower()
    if ending in {".json", ".jsonl", ".parquet", *TABLES}:
        raise InputError(f"{given}: expected a text file of images, an id or a path a line; write it so")
    if ending in ENDINGS or not (ending == ".txt" or file.is_file()):
        return [(given, given)]
    if not (found := read_lines(file)):
        raise InputError(f"{given}: expected ids or paths of images, a line each, got an empty file; check it")
    return found


def warn_of_short(questions: pl.DataFrame, asked: Asked) -> None:
    """Say how many questions have no run of words, and how many nothing finds."""
    if questions.is_empty():
        return
    short = np.full(len(questions), asked.ngram is None)
    if asked.ngram is not None:
        short = words_of(questions["whole"]).counts < asked.ngram
    lost = short
    if asked.similarity is not None:
        bags = Bags.of(pl.concat([questions["question"], questions["whole"]]), asked.similarity)
        few = np.append(bags.few, [True])[bags.of_question].reshape(2, -1).all(axis=0)
        wordless = (bags.of_question < 0).reshape(2, -1).all(axis=0)
        lost = short & (wordless | (few & questions["image"].is_null().to_numpy()))
    if lost.any():
        runs = f"{int(short.sum()):,} are shorter than a run of ngram={asked.ngram} words"
        what = f"{int(lost.sum()):,} of {len(questions):,} benchmark questions are too short to be looked for"
        fix = "give their images, by exclude.images or with the questions"
        warnings.warn(f"exclude: {what} ({runs}); {fix}", ShortQuestions, stacklevel=2)


def file_benchmark(benchmark: Benchmark, asked: Asked) -> Known:
    """File what is looked for by how it is found."""
    names, questions = benchmark
    runs = Runs.of(questions["whole"], asked.ngram) if asked.ngram is not None and len(questions) else None
    bags, asked_of = None, pl.DataFrame(schema=dict.fromkeys(("bag", "question"), pl.Int64()))
    if asked.similarity is not None and len(questions):
        twice = pl.concat([questions["question"], questions["whole"]])
        bags = Bags.of(twice, asked.similarity)
        marks = [None if image is None else marks_of_name(image) for image in questions["image"]]
        filed = pl.DataFrame(
            {
                "bag": bags.of_question,
                "question": np.tile(np.arange(len(questions)), 2),
                "mark": pl.Series([*marks, *marks], dtype=pl.List(pl.String)),
            }
        )
        filed = filed.filter(pl.col("bag") >= 0)
        few = pl.Series(bags.few).gather(filed["bag"])
        asked_of = filed.with_columns(mark=pl.when(few).then("mark"), needs=few).explode("mark")
        asked_of = asked_of.filter(~pl.col("needs") | pl.col("mark").is_not_null()).drop("needs")
        asked_of = asked_of.group_by("bag", "mark").agg(pl.col("question").min())
    images = file_names(names.select("name", "place").iter_rows())
    return Known(images, questions["place"].to_list(), runs, bags, asked_of)
