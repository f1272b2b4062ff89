"""Counts of a set of samples: by value, by length, by word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.tokens import lengths
from recipe.report.stats import DIGITS, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool

SLICE = 1 << 18  # samples whose lists of concepts are exploded at a time
QUANTILES = {"min": 0.0, "p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "max": 1.0}
COUNTED = (
    *("image", "source", "task", "answer", "cluster", "concepts", "turns"),
    *("n_words", "n_tokens", "n_qas", "n_yes", "n_no"),
)  # columns that are used; of the turns only their number
STARTS = 4  # words of the beginning of a question


@dataclass(frozen=True)
class Measured:
    """Numbers that other functions measure.

    Parameters
    ----------
    texts
        The samples whose text was read.
    keywords
        Distinct keywords in these texts.
    near_duplicates
        Share of samples that are duplicates of another.
    vendi
        Vendi score of their vectors.
    """

    texts: Pool
    keywords: int
    near_duplicates: float | None
    vendi: float | None


def count_side(rows: pl.DataFrame, measured: Measured) -> Side:
    """Count one set of samples; labels that were not attached count as missing.

    Parameters
    ----------
    rows
        One line a sample, with those columns of `COUNTED` that exist.
    measured
        Further numbers of them.

    Returns
    -------
    Side
        The numbers.
    """

    def column(name: str, empty: pl.DataType) -> pl.Series:
        return rows[name] if name in rows.columns else pl.Series(name, [None] * rows.height, dtype=empty)

    def total(name: str) -> int:
        return int(column(name, pl.UInt32()).cast(pl.UInt64).sum() or 0)

    task, answer = column("task", pl.String()), column("answer", pl.String())
    concepts = _concepts(column("concepts", pl.List(pl.String)))
    images = rows["image"].drop_nulls().value_counts(name="n")
    return Side(
        samples=rows.height,
        images=images.height,
        text_only=rows["image"].null_count(),
        qas=total("n_qas"),
        yes=total("n_yes"),
        no=total("n_no"),
        words=total("n_words"),
        tokens=total("n_tokens"),
        sources=counts_of(rows["source"]),
        tasks=counts_of(task),
        answers=counts_of(answer),
        concepts=concepts,
        task_answers=_task_answers(task, answer),
        yes_no=_yes_no(task, column("n_yes", pl.UInt32()), column("n_no", pl.UInt32())),
        quantiles={
            "words_a_turn": _turns(measured.texts, "words"),
            "tokens_a_turn": _turns(measured.texts, "tokens"),
            "words_a_record": _quantiles(rows["n_words"]),
            "tokens_a_record": _quantiles(rows["n_tokens"]),
            "turns_a_record": _quantiles(rows["turns"].list.len()),
            "samples_an_image": _quantiles(images["n"]),
        },
        clusters=_clusters(column("cluster", pl.Int32()).drop_nulls()),
        concept_entropy=entropy(list(concepts.values())),
        texts=len(measured.texts),
        keywords=measured.keywords,
        **language(measured.texts),
        near_duplicates=measured.near_duplicates,
        vendi=measured.vendi,
    )


def counts_of(column: pl.Series) -> dict[str, int]:
    """Count the values of a column, by name."""
    table = column.drop_nulls().value_counts(name="n").sort(column.name)
    return dict(zip(table[column.name].cast(pl.String).to_list(), table["n"].to_list(), strict=True))


def entropy(counts: list[int] | NDArray[np.uint32]) -> float:
    """Return the entropy in bits of some counts, summed from the smallest.

    Examples
    --------
    >>> entropy([1, 1, 2])
    1.5
    """
    n = np.sort(np.asarray(counts, np.float64))
    share = n[n > 0] / max(1.0, n.sum())
    return round(float(-(share * np.log2(share)).sum()) + 0.0, DIGITS)


def _quantiles(values: pl.Series) -> dict[str, float]:
    """Return the mean and the quantiles; zeros if there are no values."""
    numbers = values.to_numpy() if len(values) else np.zeros(1)
    found = {"mean": numbers.mean(dtype=np.float64)}
    found |= dict(zip(QUANTILES, np.quantile(numbers, list(QUANTILES.values())), strict=True))
    return {name: round(float(value), DIGITS) for name, value in found.items()}


def _concepts(lists: pl.Series) -> dict[str, int]:
    """Count the samples of each concept; lists are exploded a slice at a time."""
    slices = [counts_of(lists.slice(at, SLICE).explode()) for at in range(0, len(lists), SLICE)]
    names = sorted({name for counts in slices for name in counts})
    return {name: sum(counts.get(name, 0) for counts in slices) for name in names}


def _task_answers(task: pl.Series, answer: pl.Series) -> dict[str, dict[str, int]]:
    """Count the samples of each task with each kind of answer."""
    table = pl.DataFrame([task.cast(pl.String).alias("task"), answer.cast(pl.String).alias("answer")]).drop_nulls()
    found: dict[str, dict[str, int]] = {}
    for name, kind, n in table.group_by("task", "answer").len().sort("task", "answer").iter_rows():
        found.setdefault(name, {})[kind] = n
    return found


def _yes_no(task: pl.Series, yes: pl.Series, no: pl.Series) -> dict[str, list[int]]:
    """Count the yes and no answers of each task that has any."""
    table = pl.DataFrame([task.alias("task"), yes.cast(pl.UInt64).alias("yes"), no.cast(pl.UInt64).alias("no")])
    summed = table.drop_nulls().group_by("task").sum().filter(pl.col("yes") + pl.col("no") > 0).sort("task")
    return {name: [yes, no] for name, yes, no in summed.iter_rows()}


def _clusters(cluster: pl.Series) -> dict[str, float]:
    """Return the statistics of the clusters of some samples."""
    if not len(cluster):
        return {}
    sizes = cluster.value_counts(name="n")["n"].to_numpy()
    largest = round(int(sizes.max()) / len(cluster), DIGITS)
    return {"reached": len(sizes), "entropy": entropy(sizes), "largest": largest}


def _turns(texts: Pool, what: str) -> dict[str, float]:
    """Return the quantiles of the lengths of turns."""
    turns = texts.rows.select(pl.col("turns").list.eval(pl.element().struct.field("value")).explode()).drop_nulls()
    words, tokens = lengths(pl.col("turns").str.replace_all("<image>", "", literal=True))
    return _quantiles(turns.select({"words": words, "tokens": tokens.ceil()}[what]).to_series())


def language(texts: Pool) -> dict[str, float]:
    """Measure the diversity of words, pairs of words and beginnings of questions."""
    lower = texts.rows.select("row", text=texts.texts.str.to_lowercase())
    words = lower.select("row", word=pl.col("text").str.extract_all(r"\w+")).explode("word").drop_nulls()
    numbered = words.with_columns(pl.col("word").rank("dense"))
    pairs = numbered.select("word", "row", after=pl.col("word").shift(-1).over("row")).drop_nulls()
    begin = pl.col("question").str.to_lowercase().str.extract_all(r"\w+").list.head(STARTS).list.join(" ")
    starts = texts.qas.select(begin.alias("start")).drop_nulls().filter(pl.col("start") != "")["start"]
    return {
        "distinct_1": round(words["word"].n_unique() / max(1, words.height), DIGITS),
        "distinct_2": round(pairs.select("word", "after").n_unique() / max(1, pairs.height), DIGITS),
        "question_starts": entropy(starts.value_counts(name="n")["n"].to_numpy()),
    }
