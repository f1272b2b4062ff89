"""The samples that a benchmark holds, found part by part."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.words import words_of
from recipe.errors import ConfigError
from recipe.io.arrow import map_table
from recipe.stages import checkpoint
from recipe.stages.exclude._benchmark import Asked, Benchmark, Known, file_benchmark, read_benchmark, warn_of_short
from recipe.stages.exclude._turns import spoken
from recipe.stages.exclude.images import find_images, marks_of_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.io.cache import Store

BLOCK = 8192  # samples whose words are in memory at a time


def find_leaks(
    pool: Pool,
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
        n samples, at a stage that is named after all that is given here.
    images
        Ids and paths of images, and text files of them, one a line.
    questions
        Files, as `recipe.stages.exclude._questions.read_questions` reads them.
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
    warn_of_short(benchmark.questions, asked)
    shards, folder = pool.checkpoint.shards, pool.checkpoint.folder
    if shards is None:
        find = partial(_leaks, file_benchmark(benchmark, asked), prompts)
    else:
        for name, table in benchmark._asdict().items():
            checkpoint.whole(pool, f"{name}.arrow", partial(pl.DataFrame, table))
        find = partial(_leaks_by_files, shards.store, folder, asked)
    leaks = checkpoint.by_shard(pool, find, label="exclude")
    problems: pl.Series = pl.concat(leaks, rechunk=False)["problem"]
    return problems


@lru_cache(maxsize=1)
def _known(store: Store, folder: str, asked: Asked) -> Known:
    """File what lies in files, once in each process."""
    return file_benchmark(
        Benchmark(*(map_table(store.get(f"{folder}/{name}.arrow")) for name in Benchmark._fields)), asked
    )


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
        found = known.runs.find(words_of(turns["value"], letters=True))
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
