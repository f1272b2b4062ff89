"""What is searched for: read from the files of a benchmark, and indexed by the way it is found."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.data.words import words_of
from recipe.errors import InputError, ShortQuestions
from recipe.stages.exclude._questions import TABLES, Question, read_images, read_lines, read_questions
from recipe.stages.exclude._turns import bare
from recipe.stages.exclude.images import ENDINGS, index_names, marks_of_name
from recipe.stages.exclude.ngram import Runs
from recipe.stages.exclude.similar import Bags

if TYPE_CHECKING:
    from collections.abc import Sequence


class Search(NamedTuple):
    """The options of a search, as for `find_leaks`."""

    ngram: int | None
    similarity: float | None
    prompts: str


class Benchmark(NamedTuple):
    """What is searched for, as tables that workers can read from files."""

    names: pl.DataFrame
    """One line per image: name, place."""
    questions: pl.DataFrame
    """One line per question: place, question, whole, image; without instructions on how to answer."""


class Known(NamedTuple):
    """What is searched for, indexed by the way it is found."""

    images: dict[str, tuple[int, str]]
    places: list[str]
    runs: Runs | None
    bags: Bags | None
    question_of: pl.DataFrame
    """One line per bag and mark: bag, mark of the image that a sample must have (null for any), first question."""


def read_benchmark(images: Sequence[str], questions: Sequence[str], prompts: str = "") -> Benchmark:
    """Read the images and questions of a benchmark; `find_leaks` describes the files."""
    names = [name for entry in images for name in _names(entry)]
    rows = [question for path in questions for question in read_questions(path)]
    table = pl.DataFrame(rows, schema=dict.fromkeys(Question._fields, pl.String()), orient="row")
    return Benchmark(
        pl.DataFrame(names, schema={"name": pl.String(), "place": pl.String()}, orient="row"),
        table.with_columns(bare("question", prompts), bare("whole", prompts)),
    )


def _names(entry: str) -> list[tuple[str, str]]:
    """Return the images that one entry of `exclude.images` names, each with its place."""
    file = Path(entry)
    ending = file.suffix.lower()
    if ending == ".parquet":
        raise InputError(f"{entry}: expected a text file with one image id or path per line; convert it")
    if ending in {".json", ".jsonl", *TABLES}:
        return read_images(file)
    stands = os.path.exists(file) and not os.path.isdir(file)  # noqa: PTH110, PTH112  Path's raise where a name is too long
    if ending in ENDINGS or not (ending == ".txt" or stands):  # a pipe is no id: reading it says so
        return [(entry, entry)]
    if not (found := read_lines(file)):
        raise InputError(f"{entry}: expected ids or paths of images, one per line, got an empty file; check it")
    return found


def warn_of_short(questions: pl.DataFrame, search: Search) -> None:
    """Warn of questions that are too short to be searched for by n-gram or by similarity."""
    if questions.is_empty():
        return
    short = np.full(len(questions), search.ngram is None)
    if search.ngram is not None:
        short = words_of(questions["whole"]).counts < search.ngram
    lost = short
    if search.similarity is not None:
        bags = Bags.of(pl.concat([questions["question"], questions["whole"]]), search.similarity)
        few = np.append(bags.few, [True])[bags.of_question].reshape(2, -1).all(axis=0)
        wordless = (bags.of_question < 0).reshape(2, -1).all(axis=0)
        lost = short & (wordless | (few & questions["image"].is_null().to_numpy()))
    if lost.any():
        runs = f"{int(short.sum()):,} are shorter than a run of ngram={search.ngram} words"
        what = f"{int(lost.sum()):,} of {len(questions):,} benchmark questions are too short to be searched for"
        fix = "give their images, by exclude.images or with the questions"
        warnings.warn(f"exclude: {what} ({runs}); {fix}", ShortQuestions, stacklevel=2)


def index_benchmark(benchmark: Benchmark, search: Search) -> Known:
    """Build the indexes by which images and questions are found."""
    names, questions = benchmark
    runs = Runs.of(questions["whole"], search.ngram) if search.ngram is not None and len(questions) else None
    bags, question_of = None, pl.DataFrame(schema=dict.fromkeys(("bag", "question"), pl.Int64()))
    if search.similarity is not None and len(questions):
        texts = pl.concat([questions["question"], questions["whole"]])
        bags = Bags.of(texts, search.similarity)
        marks = [None if image is None else marks_of_name(image) for image in questions["image"]]
        index = pl.DataFrame(
            {
                "bag": bags.of_question,
                "question": np.tile(np.arange(len(questions)), 2),
                "mark": pl.Series([*marks, *marks], dtype=pl.List(pl.String)),
            }
        )
        index = index.filter(pl.col("bag") >= 0)
        few = pl.Series(bags.few).gather(index["bag"])
        question_of = index.with_columns(mark=pl.when(few).then("mark"), needs=few).explode("mark")
        question_of = question_of.filter(~pl.col("needs") | pl.col("mark").is_not_null()).drop("needs")
        question_of = question_of.group_by("bag", "mark").agg(pl.col("question").min())
    images = index_names(names.select("name", "place").iter_rows())
    return Known(images, questions["place"].to_list(), runs, bags, question_of)
