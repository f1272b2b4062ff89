"""The numbers of a mix that was written before, or of any file of samples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recipe.config import Step
from recipe.files import sha256
from recipe.pool import Pool
from recipe.read import read_pool
from recipe.report.stats import Side, Stats, make_stats, read_stats
from recipe.rooms import call
from recipe.write import side_file


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
    ours = told.mix if told is not None else _count(mix, lenient=lenient)
    return Stats(ours, ours if pool is None else _count(pool, lenient=lenient), {}, {}, None)


def _count(path: str | Path, *, lenient: bool) -> Side:
    """Read a file, label its samples, and count them."""
    pool = read_pool(path, boxes="keep", lenient=lenient)
    for name in ("answer", "task", "concepts"):
        pool = pool.with_labels(call("tag", Step(name, {}), pool))
    return make_stats(Pool(pool.rows), np.arange(len(pool))).mix


def _told(mix: Path) -> Stats | None:
    """Read the statistics beside a mix, if they are still those of its bytes."""
    manifest, stats = side_file(mix, "manifest.json"), side_file(mix, "stats.json")
    if not (mix.is_file() and manifest.is_file() and stats.is_file()):
        return None
    try:
        known = json.loads(manifest.read_text("utf-8"))["mix"]["sha256"]
    except (ValueError, KeyError, TypeError):
        return None
    return read_stats(stats) if known == sha256(mix) else None
