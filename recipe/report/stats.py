"""A mix and its pool in numbers, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.engine import each
from recipe.errors import InputError
from recipe.seed import draws
from recipe.vectors import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.pool import Pool
    from recipe.vectors import Vectors

FORMAT = 1
POINTS = 10_000  # the most samples of the pool by which coverage is estimated
PAIRS = 400_000_000  # similarities that the estimate may cost: fewer points stand for a large mix
BLOCK = 4096  # picks that points are compared with at a time
SLICE = 1 << 18  # samples whose lists of concepts are unrolled at a time
DIGITS = 6
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
    reached = _coverage(pool, picked, seed) if pool.vectors is not None and len(picked) else {}
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


def coverage(vectors: Vectors, points: NDArray[np.int64], picked: NDArray[np.int64]) -> float:
    """Return the mean best cosine of some points to the picked ones; O(points picked d).

    Parameters
    ----------
    vectors
        (n, d) float16 or float32 unit rows, in memory or mapped from a file.
    points, picked
        Rows of it.

    Returns
    -------
    float
        On -1..1; 1 where every point is picked or has a picked twin.
    """
    return float(_best(vectors, points, picked).sum(dtype=np.float64)) / max(1, len(points))


def _best(vectors: Vectors, points: NDArray[np.int64], picked: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the best cosine of each point to the picked ones, which are read by block; a largest has no order."""
    shown = rows_of(vectors, points)

    def best(part: NDArray[np.int64]) -> NDArray[np.float32]:
        chosen = rows_of(vectors, part).T
        return np.concatenate([(some @ chosen).max(axis=1) for some in np.array_split(shown, len(shown) // 2048 + 1)])

    ordered = np.sort(picked)
    parts = [ordered[at : at + BLOCK] for at in range(0, len(ordered), BLOCK)]
    none = np.full(len(points), -1, np.float32)
    found: NDArray[np.float32] = np.maximum.reduce([none, *each(best, parts, label="report: coverage")])
    return found


def _coverage(pool: Pool, picked: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Estimate the coverage of the mix and of a random one of the same size."""
    if pool.vectors is None:
        return {}
    eligible = np.flatnonzero(pool.eligible)
    count = min(POINTS, max(1, PAIRS // len(picked)))

    def drawn(label: str, most: int) -> NDArray[np.int64]:
        lots = draws(pool.rows["key"], seed=seed, label=label)[eligible]
        return eligible[np.argsort(lots, kind="stable")[:most]]

    points = np.sort(drawn("report.points", count))
    best = {"mix": picked, "random": drawn("report.random", len(picked))}
    best = {name: _best(pool.vectors, points, rows).astype(np.float64) for name, rows in best.items()}
    error = max(float(values.std()) for values in best.values()) / len(points) ** 0.5
    values = {name: float(values.mean()) for name, values in best.items()} | {"error": error}
    return {name: round(value, DIGITS) for name, value in values.items()} | {"points": len(points)}


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
