"""The numbers of a mix that was written before, or of any file of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recipe.config.registry import call
from recipe.config.step import Step
from recipe.mix.manifest import manifest_of
from recipe.report.stats import Stats, read_stats
from recipe.report.stats.measure import measure_alone
from recipe.stages.read import read_pool
from recipe.stages.write import side_file

if TYPE_CHECKING:
    from recipe.data.pool import Pool
    from recipe.report.stats import Side


def file_stats(mix: str | Path, pool: str | Path | None = None, *, lenient: bool = False) -> Stats:
    """Return the statistics of a file, and of the file it is compared with.

    A mix that `recipe` wrote, and that nobody changed since, has its statistics beside it; they know the pool, which
    the file alone does not. Any other file is read and its samples are labelled anew.

    Parameters
    ----------
    mix
        A mix, or anything else that `read_pool` reads.
    pool
        What to compare it with; by default the pool it was picked from if that is known, else itself.
    lenient
        As for `read_pool`.

    Returns
    -------
    Stats
        The numbers of both.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    told = _told(Path(mix))
    if told is not None and pool is None:
        return told
    ours, known = (told.mix, told.known_keywords) if told is not None else _count(mix, lenient=lenient)
    theirs = ours if pool is None else _count(pool, lenient=lenient)[0]
    return Stats(ours, theirs, {}, known_keywords=known)


def read_labelled(path: str | Path, *, lenient: bool = False) -> Pool:
    """Read a file and label its samples, as they were labelled when the mix was made where its scores tell that."""
    pool = read_pool(path, boxes="keep", lenient=lenient)
    for name in ("answer", "task", "concepts"):
        pool = pool.with_labels(call("tag", Step(name, {}), pool))
    return _as_known(Path(path), pool)


def _count(path: str | Path, *, lenient: bool) -> tuple[Side, int]:
    """Count the samples of a file."""
    return measure_alone(read_labelled(path, lenient=lenient))


def _as_known(mix: Path, pool: Pool) -> Pool:
    """Give samples the labels that they had when the mix was made: a source's name tells a task that no text tells."""
    scores = side_file(mix, "scores.parquet")
    if not scores.is_file():
        return pool
    labels = ["source", "task", "answer", "n_qas", "n_yes", "n_no", "concepts", "cluster"]
    try:
        known = pl.read_parquet(scores, columns=["key", *labels]).unique("key", keep="first", maintain_order=True)
    except (OSError, pl.exceptions.PolarsError):
        return pool  # another file of that name
    joined = pool.rows.select("key").join(known, on="key", how="left", maintain_order="left")
    held = pool.rows.columns
    fresh = (pl.coalesce(joined[name], pool.rows[name]) if name in held else joined[name] for name in labels)
    return pool.with_labels(pl.select(fresh))


def _told(mix: Path) -> Stats | None:
    """Read the statistics beside a mix, if they are still those of its bytes."""
    stats = side_file(mix, "stats.json")
    return read_stats(stats) if stats.is_file() and manifest_of(mix) else None
