"""Measures the statistics of a mix and of its pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.calls import call
from recipe.config.step import Step
from recipe.data.overview import rejects
from recipe.data.pool import SCHEMA, Pool
from recipe.data.vectors import release
from recipe.engine.seed import draw
from recipe.io.arrow import take
from recipe.report.stats import Side, Stats
from recipe.report.stats.counting import COUNTED, Measured, count_side, language
from recipe.report.stats.coverage import DIGITS, estimate
from recipe.report.stats.vendi import vendi
from recipe.stages.tag import concepts

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTS = 20_000  # maximum number of samples whose text is read
KERNEL = 200_000  # maximum number of samples for the Vendi score


def measure(
    pool: Pool,
    picked: NDArray[np.int64],
    *,
    keywords: str | None = None,
    certificate: float | None = None,
    seed: int = 0,
) -> Stats:
    """Measure a mix and its pool.

    Parameters
    ----------
    pool
        n samples with their labels.
    picked
        (k,) rows of the mix.
    keywords
        The recipe's list of concepts, as `tag: {concepts: ...}`.
    certificate
        The selector's certificate.
    seed
        Any integer: samples the random mix that coverage is compared with, and the rows of large pools.

    Returns
    -------
    Stats
        The numbers.
    """
    known = concepts.keywords_of(keywords)
    rejected = dict(sorted(rejects(pool.rows).items()))
    everything = np.arange(len(pool))
    # Vectors first: those on disk are released before any text is read.
    coverage = estimate(pool, picked, seed)
    scores = [_vendi(pool, rows, seed) for rows in (picked, everything)]
    return Stats(
        _side(pool, picked, known, seed, near_duplicates=repeats(pool, picked), score=scores[0]),
        _side(
            pool, everything, known, seed, near_duplicates=rejected.get("dup", 0) / max(1, len(pool)), score=scores[1]
        ),
        rejected,
        coverage,
        None if certificate is None else round(certificate, DIGITS),
        known["keyword"].n_unique(),
    )


def measure_alone(pool: Pool, *, keywords: str | None = None, seed: int = 0) -> tuple[Side, int]:
    """Measure a file of samples by itself.

    Parameters
    ----------
    pool
        n samples with labels.
    keywords, seed
        As for `measure`.

    Returns
    -------
    Side, int
        Its statistics, and the number of known keywords.
    """
    return measure_rows(pool, np.arange(len(pool)), keywords=keywords, seed=seed)


def measure_rows(
    pool: Pool, rows: NDArray[np.int64], *, keywords: str | None = None, seed: int = 0
) -> tuple[Side, int]:
    """Measure some samples of a pool by themselves.

    Parameters
    ----------
    pool
        n samples with labels.
    rows
        (k,) rows of them.
    keywords, seed
        As for `measure`.

    Returns
    -------
    Side, int
        As of `measure_alone`.
    """
    known = concepts.keywords_of(keywords)
    score = _vendi(pool, rows, seed)
    return _side(pool, rows, known, seed, near_duplicates=repeats(pool, rows), score=score), known["keyword"].n_unique()


def variety(pool: Pool, rows: NDArray[np.int64]) -> dict[str, float]:
    """Return `distinct_1`, `distinct_2` and `question_starts` of some samples, as `Side` names them."""
    return language(_subset(pool, rows))


def repeats(pool: Pool, rows: NDArray[np.int64]) -> float:
    """Return the share of some samples that are exact or near duplicates of another of them."""
    some = _subset(pool, rows)
    same = np.arange(len(some))
    duplicate = (call("dedup", Step("exact", {}), some) != same) | (call("dedup", Step("near", {}), some) != same)
    return float(duplicate.mean()) if len(some) else 0.0


def _vendi(pool: Pool, rows: NDArray[np.int64], seed: int) -> float | None:
    """Return the Vendi score of some samples; None without vectors."""
    if pool.vectors is None:
        return None
    score = vendi(pool.vectors, _drawn(rows, KERNEL, seed, "vendi"))
    release(pool.vectors)
    return round(score, DIGITS)


def _side(
    pool: Pool, rows: NDArray[np.int64], known: pl.DataFrame, seed: int, *, near_duplicates: float, score: float | None
) -> Side:
    """Count and measure some samples of a pool."""
    texts = _subset(pool, _drawn(rows, TEXTS, seed, "texts"))
    n_keywords = concepts.count(texts, known).height
    columns = (pool.rows[name] for name in COUNTED if name in pool.rows.columns)
    # Columns are taken one by one: polars would copy a whole table whose columns have different chunks.
    table = pl.DataFrame([column if len(rows) == len(pool) else column.gather(rows) for column in columns])
    return count_side(table, Measured(texts, n_keywords, round(near_duplicates, DIGITS), score))


def _drawn(rows: NDArray[np.int64], most: int, seed: int, label: str) -> NDArray[np.int64]:
    """Return all rows, or a sample of so many: a run in key order from a random start.

    Keys are hashes, so a run of them is a random sample; and it is contiguous on disk.
    """
    if len(rows) <= most:
        return rows
    return np.roll(np.sort(rows), -(draw(label, seed=seed, label="measure") % len(rows)))[:most]


def _subset(pool: Pool, rows: NDArray[np.int64]) -> Pool:
    """Return some samples as their own pool, in key order, without problems."""
    table = take(pool.rows, (name for name in SCHEMA if name not in ("row", "problem")), np.sort(rows))
    return Pool(table.with_row_index("row").with_columns(problem=pl.lit(None, dtype=pl.String)).select(*SCHEMA))
