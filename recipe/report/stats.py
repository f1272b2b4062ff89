"""A mix and its pool in numbers, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.errors import InputError
from recipe.report._coverage import DIGITS, coverage, estimate

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.pool import Pool

__all__ = ["Side", "Stats", "coverage", "make_stats", "read_stats"]
FORMAT = 1
SLICE = 1 << 18  # samples whose lists of concepts are unrolled at a time
COUNTED = (
    *("image", "source", "task", "answer", "cluster", "concepts"),
    *("n_words", "n_tokens", "n_qas", "n_yes", "n_no"),
)  # columns that statistics read: never the text


@dataclass(frozen=True)
class Side:
    """Numbers of one set of samples.

    Parameters
    ----------
    samples, images, text_only, qas, yes, no, words, tokens
        Counts; `images` are distinct ones, `words` and `tokens` totals.
    sources, tasks, answers
        Value to number of samples, by name.
    words_a_sample
        Quantiles 0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.
    clusters
        How many clusters the samples lie in.
    concepts
        Concept to number of samples that touch it.
    """

    samples: int
    images: int
    text_only: int
    qas: int
    yes: int
    no: int
    words: int
    tokens: int
    sources: dict[str, int]
    tasks: dict[str, int]
    answers: dict[str, int]
    words_a_sample: list[float]
    clusters: int
    concepts: dict[str, int]


@dataclass(frozen=True)
class Stats:
    """Numbers of the mix and of the pool it was picked from.

    Parameters
    ----------
    mix, pool
        The picked samples; all samples that were read.
    rejected
        Code of a problem to number of samples that were not eligible for it.
    coverage
        Mean best cosine of the pool's eligible samples to the picked ones (`mix`), and to as many drawn by lot
        (`random`); estimated on `points` samples drawn by lot: all there are, 10,000, or 400 million divided by the
        size of the mix if that is less (2,536 for 157,712). `error` is the larger standard error of the two. Empty
        without vectors.
    certificate
        Share of the best possible objective that was reached at least; None if the selector gives none.
    format
        Version of this format.
    """

    mix: Side
    pool: Side
    rejected: dict[str, int]
    coverage: dict[str, float]
    certificate: float | None
    format: int = FORMAT

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers."""
        return asdict(self)

    def to_json(self) -> str:
        """Return indented ASCII JSON, the same for the same numbers."""
        return json.dumps(self.to_dict(), indent=1) + "\n"

    def table(self) -> pl.DataFrame:
        """Return one line a number: what, mix, pool, and the shares of both in percent where they are shares."""
        totals: list[str] = ["samples", "images", "text_only", "qas", "words", "tokens", "clusters"]
        lines: list[tuple[str, int, int, float | None, float | None]] = [
            (name, getattr(self.mix, name), getattr(self.pool, name), None, None) for name in totals
        ]
        answers = max(1, self.mix.yes + self.mix.no), max(1, self.pool.yes + self.pool.no)
        for name in ("yes", "no"):
            ours, theirs = getattr(self.mix, name), getattr(self.pool, name)
            lines.append((f"{name} answers", ours, theirs, 100 * ours / answers[0], 100 * theirs / answers[1]))
        samples = max(1, self.mix.samples), max(1, self.pool.samples)
        for group in ("tasks", "answers", "sources", "concepts"):
            for value, theirs in getattr(self.pool, group).items():
                ours = getattr(self.mix, group).get(value, 0)
                lines.append((f"{group}: {value}", ours, theirs, 100 * ours / samples[0], 100 * theirs / samples[1]))
        return pl.DataFrame(lines, schema=["what", "mix", "pool", "mix %", "pool %"], orient="row").with_columns(
            pl.col("mix %", "pool %").cast(pl.Float64).round(2)
        )


def make_stats(pool: Pool, picked: NDArray[np.int64], *, certificate: float | None = None, seed: int = 0) -> Stats:
    """Count what a mix and its pool hold.

    Parameters
    ----------
    pool
        n samples with their labels.
    picked
        (k,) rows of the mix.
    certificate
        What the selector certified.
    seed
        Draws the random mix that coverage is compared with, and the samples by which it is estimated.

    Returns
    -------
    Stats
        The numbers.
    """
    rows = pl.DataFrame([pool.rows[name] for name in COUNTED if name in pool.rows.columns])
    problems = pool.rows["problem"].drop_nulls().str.split(":").list.first()
    counts = problems.value_counts().sort("problem")
    rejected = dict(zip(counts["problem"].to_list(), counts["count"].to_list(), strict=True))
    reached = estimate(pool, picked, seed) if pool.vectors is not None and len(picked) else {}
    certified = None if certificate is None else round(certificate, DIGITS)
    return Stats(
        _side(pl.DataFrame([column.gather(picked) for column in rows])), _side(rows), rejected, reached, certified
    )


def read_stats(path: Path) -> Stats:
    """Read statistics that were written as JSON.

    Parameters
    ----------
    path
        A file that holds `Stats.to_json`.

    Returns
    -------
    Stats
        The numbers.

    Raises
    ------
    InputError
        If it holds something else, or another version of the format.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
        if told["format"] != FORMAT:
            raise InputError(
                f"{path}: expected statistics of format {FORMAT}, got {told['format']}; write the mix anew"
            )
        return Stats(**{**told, "mix": Side(**told["mix"]), "pool": Side(**told["pool"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot read the statistics: {' '.join(str(error).split())}") from None


def _counts(column: pl.Series) -> dict[str, int]:
    """Count the values of a column, by name."""
    table = column.drop_nulls().value_counts(name="n").sort(column.name)
    return dict(zip(table[column.name].cast(pl.String).to_list(), table["n"].to_list(), strict=True))


def _side(rows: pl.DataFrame) -> Side:
    """Count one set of samples; labels that were not attached count as nothing."""

    def column(name: str, empty: pl.DataType) -> pl.Series:
        return rows[name] if name in rows.columns else pl.Series(name, [None] * rows.height, dtype=empty)

    def total(name: str) -> int:
        return int(column(name, pl.UInt32()).cast(pl.UInt64).sum() or 0)

    words = rows["n_words"].to_numpy()
    quantiles = np.quantile(words, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]) if len(words) else np.zeros(7)
    return Side(
        samples=rows.height,
        images=rows["image"].n_unique() - int(rows["image"].null_count() > 0),
        text_only=rows["image"].null_count(),
        qas=total("n_qas"),
        yes=total("n_yes"),
        no=total("n_no"),
        words=total("n_words"),
        tokens=total("n_tokens"),
        sources=_counts(rows["source"]),
        tasks=_counts(column("task", pl.String())),
        answers=_counts(column("answer", pl.String())),
        words_a_sample=[round(float(q), 2) for q in quantiles],
        clusters=column("cluster", pl.Int32()).drop_nulls().n_unique(),
        concepts=_concepts(column("concepts", pl.List(pl.String))),
    )


def _concepts(lists: pl.Series) -> dict[str, int]:
    """Count the samples that touch each concept; lists are unrolled a slice at a time."""
    told = [_counts(lists.slice(at, SLICE).explode()) for at in range(0, len(lists), SLICE)]
    names = sorted({name for counts in told for name in counts})
    return {name: sum(counts.get(name, 0) for counts in told) for name in names}
