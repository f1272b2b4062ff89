"""What a benchmark holds, found among the samples: its images, runs of its words, and its questions in other words."""

from __future__ import annotations

import warnings
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.errors import ConfigError, InputError, ShortQuestions
from recipe.exclude._questions import TABLES, Question, read_lines, read_questions
from recipe.exclude._words import bare, spoken, words_of
from recipe.exclude.images import file_names, find_images, is_path, marks_of_image, marks_of_name
from recipe.exclude.ngram import Runs
from recipe.exclude.similar import FEWEST, Bags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.pool import Pool
    from recipe.store import Store
    from recipe.trail import Trail

BLOCK = 8192  # samples whose words are in memory at a time


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
    """A line a question and bag: bag, question, needs (whether the same image must be meant), image's mark."""


def find_leaks(
    pool: Pool,
    trail: Trail,
    *,
    images: Sequence[str],
    questions: Sequence[str],
    ngram: int | None = 13,
    similarity: float | None = 0.95,
    prompts: str = "",
) -> pl.Series:
    """Find the samples that a benchmark holds, part by part.

    Parameters
    ----------
    pool
        n samples.
    trail
        Where the pool stands: at a stage that is named after all that is given here.
    images
        Ids and paths of images, and text files of them, one a line.
    questions
        Files, as `recipe.exclude._questions.read_questions` reads them.
    ngram
        Words in a row, from 1, that no turn of a sample may share with a question, its context or its options; None
        not to look. Shorter questions have no such run.
    similarity
        Cosine, in 0..1, of a human turn's words to a question's from which they count as the same; None not to look.
        A question of fewer than six content words is asked of many pictures, and counts only where it is known to be of
        the sample's image.
    prompts
        A regular expression of what says how to answer; it is taken out of samples and questions.

    Returns
    -------
    polars.Series
        (n,) str: ``bench_image:``, ``bench_ngram:`` or ``bench_similar:`` and the place in the benchmark, in this order
        of precedence and the first place of each; null where nothing was found.

    Raises
    ------
    InputError
        If a file cannot be read as asked.
    ConfigError
        If there are questions, but neither way to look for them.

    Warns
    -----
    ShortQuestions
        How many questions are too short for either way.

    References
    ----------
    Brown et al. 2020, Language Models are Few-Shot Learners, appendix C, for runs of words. Spiesberger et al. 2026,
    Soft Contamination Means Benchmarks Test Shallow Generalization (arXiv 2602.12413): runs of words miss what is said
    in other words. Comparing bags of words finds other orders and few other words; a paraphrase it misses too.
    """
    if questions and ngram is None and similarity is None:
        raise ConfigError("exclude: questions are given, but ngram and similarity are both null; set one of them")
    asked = Asked(ngram, similarity, prompts)
    benchmark = read_benchmark(images, questions, prompts)
    _warn_of_short(benchmark.questions, asked)
    if trail.parts is None:
        known = _file(benchmark, asked)
        leaks = trail.by_part(pool, partial(_leaks, known, prompts), label="exclude")
    else:
        for name, table in benchmark._asdict().items():
            trail.whole(f"{name}.arrow", partial(pl.DataFrame, table))
        leaks = trail.by_part(
            pool, partial(_leaks_by_files, trail.parts.store, trail.folder, asked), label="exclude"
        )
    return pl.concat(leaks, rechunk=False)["problem"]


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
    if is_path(file.name) or (ending != ".txt" and not file.is_file() and "/" in given and not ending):
        return [(given, given)]
    if ending in {".json", ".jsonl", ".parquet", *TABLES}:
        raise InputError(f"{given}: expected a text file of images, an id or a path a line; write it so")
    if not (ending == ".txt" or file.is_file()):
        return [(given, given)]
    if not (found := read_lines(file)):
        raise InputError(f"{given}: expected ids or paths of images, a line each, got an empty file; check it")
    return found


def _warn_of_short(questions: pl.DataFrame, asked: Asked) -> None:
    """Say how many questions have no run of words, and how many nothing finds."""
    if questions.is_empty():
        return
    short = np.full(len(questions), asked.ngram is None)
    if asked.ngram is not None:
        short = words_of(questions["whole"]).counts < asked.ngram
    lost = short
    if asked.similarity is not None:
        bags = Bags.of(questions["question"], asked.similarity)
        bag, nameless = bags.of_question, questions["image"].is_null().to_numpy()
        lost = short & ((bag < 0) | (np.append(bags.few, False)[bag] & nameless))
    if lost.any():
        runs = f"{int(short.sum()):,} are shorter than a run of ngram={asked.ngram} words"
        what = f"{int(lost.sum()):,} of {len(questions):,} benchmark questions are too short to be looked for"
        fix = "give their images, by exclude.images or with the questions"
        warnings.warn(f"exclude: {what} ({runs}); {fix}", ShortQuestions, stacklevel=2)


def _file(benchmark: Benchmark, asked: Asked) -> Known:
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


@lru_cache(maxsize=1)
def _known(store: Store, folder: str, asked: Asked) -> Known:
    """File what lies in files, once in each process."""
    from recipe.tables import map_table  # noqa: PLC0415  where the files are

    return _file(Benchmark(*(map_table(store.get(f"{folder}/{name}.arrow")) for name in Benchmark._fields)), asked)


def _leaks_by_files(store: Store, folder: str, asked: Asked, part: Pool) -> pl.DataFrame:
    """Find the leaks of a part, by what lies in files."""
    return _leaks(_known(store, folder, asked), asked.prompts, part)


def _leaks(known: Known, prompts: str, part: Pool) -> pl.DataFrame:
    """Find the leaks of a part: the column `problem`."""
    found = pl.Series(find_images(part.rows["image"], known.images), dtype=pl.String)
    problem = pl.DataFrame({"problem": "bench_image:" + found})
    if not known.places:
        return problem
    told: dict[str, list[NDArray[np.int64]]] = {"bench_ngram": [], "bench_similar": []}
    for start in range(0, max(1, len(part)), BLOCK):
        block = part.rows.slice(start, BLOCK)
        told["bench_ngram"].append(_by_runs(block, known, prompts))
        told["bench_similar"].append(_by_bags(block, known, prompts))
    places = pl.Series(known.places)
    others = []
    for code, blocks in told.items():
        question = np.concatenate(blocks)
        named = f"{code}:" + places.gather(np.maximum(question, 0))
        others.append(pl.select(pl.when(pl.Series(question >= 0)).then(named)).to_series())
    return problem.select(pl.coalesce("problem", *others).alias("problem"))


def _by_runs(block: pl.DataFrame, known: Known, prompts: str) -> NDArray[np.int64]:
    """Return the first question that each sample shares a run of words with; -1 for none."""
    first = np.full(len(block), -1)
    if known.runs is not None:
        turns = spoken(block["turns"], prompts)
        found = known.runs.find(words_of(turns["value"]))
        hits = np.flatnonzero(found >= 0)
        first = _first(len(block), turns["row"].to_numpy()[hits], found[hits])
    return first


def _by_bags(block: pl.DataFrame, known: Known, prompts: str) -> NDArray[np.int64]:
    """Return the first question that each sample asks in the same words; -1 for none."""
    if known.bags is None:
        return np.full(len(block), -1)
    turns = spoken(block["turns"], prompts, "human")
    texts, bags = known.bags.find(words_of(turns["value"]))
    pairs = pl.DataFrame({"row": turns["row"].gather(texts), "bag": bags}).unique()
    free = pairs.join(known.asked_of.filter(pl.col("mark").is_null()), on="bag").select("row", "question")
    bound = known.asked_of.drop_nulls("mark")
    tied = pairs.join(bound.select("bag").unique(), on="bag", how="semi")
    image = block["image"].gather(tied["row"])
    marks = pl.Series([[] if one is None else marks_of_image(one) for one in image], dtype=pl.List(pl.String))
    named = tied.with_columns(mark=marks).explode("mark").join(bound, on=["bag", "mark"]).select("row", "question")
    both = pl.concat([free, named])
    return _first(len(block), both["row"].to_numpy(), both["question"].to_numpy())


def _first(n: int, rows: NDArray[np.int64], questions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the smallest question of each of n rows; -1 for none."""
    none = np.iinfo(np.int64).max
    first = np.full(n, none)
    np.minimum.at(first, rows, questions)
    return np.where(first == none, -1, first)
