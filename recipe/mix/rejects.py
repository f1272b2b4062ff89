"""What a run leaves in which nothing may be selected: its rejects, and the most frequent reasons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from recipe.data.overview import meaning, rejects
from recipe.errors import InputError, NothingEligible
from recipe.io.families import side_file
from recipe.io.outputs import open_output
from recipe.io.regular import bytes_of
from recipe.stages.write._rejects import KEYS, reject_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from recipe.data.pool import Pool

REASONS = 3  # that an error names, the most frequent first


def nothing_eligible(pool: Pool) -> NothingEligible:
    """Return the error for a pool of which nothing may be selected: how many samples for which reason, and what to do.

    Examples
    --------
    >>> import polars as pl
    >>> from recipe import demo_pool
    >>> pool = demo_pool(images=2)
    >>> print(nothing_eligible(pool.with_labels(pl.DataFrame({"problem": ["L06"] * 68}))))
    none of the 68 samples read may be selected: 68 L06 (the record holds no words at all: remove the record)
    """
    found = rejects(pool.rows)
    named = [f"{count:,} {code}" + (f" ({what})" if (what := meaning(code)) else "") for code, count in found.items()]
    rest = sum(list(found.values())[REASONS:])
    why = ", ".join([*named[:REASONS], *([f"{rest:,} for other reasons"] if rest else [])])
    told = f"none of the {len(pool):,} samples read may be selected: {why}"
    error = NothingEligible(told if found else "expected samples to select from, read none; check the sources")
    error.pool = pool
    return error


def with_rejects(error: NothingEligible, mix: Path, reads: Iterable[Path]) -> NothingEligible:
    """Write the rejects of a run in which nothing was eligible, and return its error with where they are.

    Parameters
    ----------
    error
        As `select_mix` raises it.
    mix
        Where the mix would be: `mix.rejects.jsonl` is written beside `mix.json`, in the place of those of such a run.
    reads
        Files that the run reads, none of which is replaced.

    Returns
    -------
    NothingEligible
        To be raised.
    """
    target = side_file(mix, "rejects.jsonl")
    if error.pool is None or not len(error.pool):
        return error
    try:
        with open_output(target, "w", reads=reads, own=is_rejects) as file:
            file.writelines(reject_lines(error.pool))
    except InputError as other:
        return NothingEligible(f"{error}; its rejects are not written: {other}")
    return NothingEligible(f"{error}; {target} lists each of them")


def is_rejects(path: Path) -> bool:
    """Return whether a file is a list of rejects as `recipe` writes it: each line has its keys, and no others."""
    try:
        lines = bytes_of(path).splitlines(keepends=True)
        return bool(lines) and all(line.endswith(b"\n") and tuple(json.loads(line)) == KEYS for line in lines)
    except (OSError, ValueError, RecursionError, TypeError):
        return False
