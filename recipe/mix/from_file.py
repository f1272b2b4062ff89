"""The statistics of a written mix, or of any file of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recipe.config.calls import call
from recipe.config.step import Step
from recipe.errors import InputError
from recipe.io.families import side_file
from recipe.mix.manifest import beside, manifest_of
from recipe.mix.scores import read_scores
from recipe.report.stats import Stats, read_stats
from recipe.report.stats.measure import measure_alone
from recipe.stages.read import read_pool

if TYPE_CHECKING:
    from recipe.data.pool import Pool
    from recipe.report.stats import Side


def file_stats(mix: str | Path, pool: str | Path | None = None, *, lenient: bool = False) -> Stats:
    """Return the statistics of a file, and of the file it is compared with.

    A mix that `recipe` wrote, and that was not changed since, has its statistics beside it; they include those of the
    pool. The samples of any other file are read and labelled.

    Parameters
    ----------
    mix
        A mix, or anything else that `read_pool` reads.
    pool
        A file to compare it with; by default the pool it was picked from if that is known, else itself.
    lenient
        As for `read_pool`.

    Returns
    -------
    Stats
        The statistics of both.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    written = _written(Path(mix))
    if written is not None and pool is None:
        return written
    ours, known = (written.mix, written.known_keywords) if written is not None else _count(mix, lenient=lenient)
    theirs = ours if pool is None else _count(pool, lenient=lenient)[0]
    return Stats(ours, theirs, {}, known_keywords=known)


def read_labelled(path: str | Path, *, lenient: bool = False) -> Pool:
    """Read a file and label its samples; labels in the scores beside a mix are used where they exist."""
    pool = read_pool(path, boxes="keep", lenient=lenient)
    for name in ("answer", "task", "concepts"):
        pool = pool.with_labels(call("tag", Step(name, {}), pool))
    return _as_known(Path(path), pool)


def _count(path: str | Path, *, lenient: bool) -> tuple[Side, int]:
    """Count the samples of a file."""
    return measure_alone(read_labelled(path, lenient=lenient))


def _as_known(mix: Path, pool: Pool) -> Pool:
    """Attach the labels that samples had when the mix was made: some tasks are known only from the name of a source."""
    scores = side_file(mix, "scores.parquet")
    if not scores.is_file():
        return pool
    labels = ["source", "task", "answer", "n_qas", "n_yes", "n_no", "concepts", "cluster"]
    try:
        table = read_scores(scores)
    except InputError:
        if side_file(mix, "manifest.json").is_file():
            raise
        return pool  # another file of that name
    known = table.select("key", *labels).unique("key", keep="first", maintain_order=True)
    joined = pool.rows.select("key").join(known, on="key", how="left", maintain_order="left")
    present = pool.rows.columns
    merged = (pl.coalesce(joined[name], pool.rows[name]) if name in present else joined[name] for name in labels)
    return pool.with_labels(pl.select(merged))


def _written(mix: Path) -> Stats | None:
    """Read the statistics beside a mix, if the mix is unchanged."""
    stats = side_file(mix, "stats.json")
    manifest = manifest_of(mix) if stats.is_file() else None
    return read_stats(beside(mix, "stats.json", manifest)) if manifest else None
