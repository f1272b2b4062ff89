"""Find the samples that leak from a benchmark, shard by shard."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.words import words_of
from recipe.errors import ConfigError
from recipe.io.arrow import map_table
from recipe.io.hashes import check_unchanged
from recipe.stages import checkpoint
from recipe.stages.exclude._benchmark import Benchmark, Known, Search, index_benchmark, read_benchmark, warn_of_short
from recipe.stages.exclude._turns import turn_texts
from recipe.stages.exclude.images import find_images, marks_of_image, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.io.hashes import Seen
    from recipe.io.store import Store

BLOCK = 8192  # samples whose words are in memory at a time


def find_leaks(
    pool: Pool,
    *,
    images: Sequence[str],
    questions: Sequence[str],
    ngram: int | None = 13,
    similarity: float | None = 0.95,
    prompts: str = "",
    files: Sequence[Seen] = (),
) -> pl.Series:
    """Find the samples that leak from a benchmark, shard by shard.

    Parameters
    ----------
    pool
        n samples, at a checkpoint stage that depends on all other parameters.
    images
        Ids and paths of images, and text files of them, one per line.
    questions
        Files, as `recipe.stages.exclude._questions.read_questions` reads them.
    ngram
        Words in a row, from 1, that no turn of a sample may share with a question, its context or its options; None
        to skip this search. It cannot find questions with fewer words.
    similarity
        Cosine, in 0..1, between the words of a human turn and those of a question from which they count as the same;
        None to skip this search. A question of fewer than six content words could be about many images, so it counts
        only if the benchmark says that it is about the sample's image.
    prompts
        A regular expression for instructions on how to answer; they are removed from samples and questions.
    files
        The files of images and questions as they were hashed; they may not have changed since.

    Returns
    -------
    polars.Series
        (n,) str: ``bench_image:``, ``bench_ngram:`` or ``bench_similar:`` and the first place in the benchmark, in this
        order of precedence; null where nothing was found.

    Raises
    ------
    InputError
        If a file cannot be read.
    ConfigError
        If there are questions, but both searches are off.

    Warns
    -----
    ShortQuestions
        If questions are too short for both searches.

    References
    ----------
    Brown et al. 2020, Language Models are Few-Shot Learners, appendix C, for n-grams. Spiesberger et al. 2026, Soft
    Contamination Means Benchmarks Test Shallow Generalization (arXiv 2602.12413): n-grams miss paraphrases. Comparing
    bags of words finds another word order and a few other words, but not a full paraphrase.
    """
    if questions and ngram is None and similarity is None:
        raise ConfigError("exclude: questions are given, but ngram and similarity are both null; set one of them")
    search = Search(ngram, similarity, prompts)
    benchmark = read_benchmark(images, questions, prompts)
    check_unchanged(files)
    warn_of_short(benchmark.questions, search)
    shards, folder = pool.checkpoint.shards, pool.checkpoint.folder
    if shards is None:
        find = partial(_leaks, index_benchmark(benchmark, search), prompts)
    else:
        for name, table in benchmark._asdict().items():
            checkpoint.whole(pool, f"{name}.arrow", partial(pl.DataFrame, table))
        find = partial(_leaks_by_files, shards.store, folder, search)
    leaks = checkpoint.by_shard(pool, find, label="exclude")
    problems: pl.Series = pl.concat(leaks, rechunk=False)["problem"]
    return problems


@lru_cache(maxsize=1)
def _known(store: Store, folder: str, search: Search) -> Known:
    """Index the benchmark that is saved in files, once in each process."""
    return index_benchmark(
        Benchmark(*(map_table(store.get(f"{folder}/{name}.arrow")) for name in Benchmark._fields)), search
    )


def _leaks_by_files(store: Store, folder: str, search: Search, shard: Pool) -> pl.DataFrame:
    """Find the leaks of a shard, with the benchmark that is saved in files."""
    return _leaks(_known(store, folder, search), search.prompts, shard)


def _leaks(known: Known, prompts: str, shard: Pool) -> pl.DataFrame:
    """Find the leaks of a shard: the column `problem`."""
    found = find_images(shard.rows, known.images)
    problem = pl.DataFrame({"problem": "bench_image:" + found})
    if not known.places:
        return problem
    matches: dict[str, list[NDArray[np.int64]]] = {"bench_ngram": [], "bench_similar": []}
    for start in range(0, max(1, len(shard)), BLOCK):
        block = shard.rows.slice(start, BLOCK)
        matches["bench_ngram"].append(_by_runs(block, known, prompts))
        matches["bench_similar"].append(_by_bags(block, known, prompts))
    places = pl.Series(known.places)
    others = []
    for code, blocks in matches.items():
        question = np.concatenate(blocks)
        named = f"{code}:" + places.gather(np.maximum(question, 0))
        others.append(pl.select(pl.when(pl.Series(question >= 0)).then(named)).to_series())
    return problem.select(pl.coalesce("problem", *others).alias("problem"))


def _by_runs(block: pl.DataFrame, known: Known, prompts: str) -> NDArray[np.int64]:
    """Return the first question that each sample shares a run of words with; -1 for none."""
    first = np.full(len(block), -1)
    if known.runs is not None:
        turns = turn_texts(block["turns"], prompts)
        found = known.runs.find(words_of(turns["value"], letters=True))
        hits = np.flatnonzero(found >= 0)
        first = _first(len(block), turns["row"].to_numpy()[hits], found[hits])
    return first


def _by_bags(block: pl.DataFrame, known: Known, prompts: str) -> NDArray[np.int64]:
    """Return the first question that each sample asks in the same words; -1 for none."""
    if known.bags is None:
        return np.full(len(block), -1)
    turns = turn_texts(block["turns"], prompts, "human")
    texts, bags = known.bags.find(words_of(turns["value"]))
    pairs = pl.DataFrame({"row": turns["row"].gather(texts), "bag": bags}).unique()
    free = pairs.join(known.question_of.filter(pl.col("mark").is_null()), on="bag").select("row", "question")
    bound = known.question_of.drop_nulls("mark")
    tied = pairs.join(bound.select("bag").unique(), on="bag", how="semi")
    rows = tied["row"].unique()
    names = names_of(block.select("image", "media")[rows])
    marks = pl.Series(map(marks_of_image, names["name"]), dtype=pl.List(pl.String))
    of_row = names.select(row=rows.gather(names["at"]), mark=marks).explode("mark")
    named = tied.join(of_row, on="row").join(bound, on=["bag", "mark"]).select("row", "question")
    both = pl.concat([free, named])
    return _first(len(block), both["row"].to_numpy(), both["question"].to_numpy())


def _first(n: int, rows: NDArray[np.int64], questions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the smallest question of each of n rows; -1 for none."""
    none = np.iinfo(np.int64).max
    first = np.full(n, none)
    np.minimum.at(first, rows, questions)
    return np.where(first == none, -1, first)
