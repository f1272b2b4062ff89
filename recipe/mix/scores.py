"""Reads the scores beside a mix, and checks them column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from recipe.config.aliases import SCORES
from recipe.data.pool import SCHEMA
from recipe.data.selection import UNSCORED
from recipe.errors import InputError
from recipe.io.arrow import read_parquet
from recipe.io.panics import unprinted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = pl.List(pl.String())
KINDS: dict[str, pl.DataType] = {  # every column that is no score
    **{name: SCHEMA[name] for name in SCHEMA if name not in UNSCORED},
    **dict.fromkeys(("answer", "task", "dataset", "part", "modality"), pl.String()),
    **dict.fromkeys(("flags", "concepts"), WORDS),
    **dict.fromkeys(("n_qas", "n_yes", "n_no", "n_keywords", "n_images", "nearest", "rank"), pl.UInt32()),
    **dict.fromkeys(("cluster", "cell"), pl.Int32()),
    "cell_quota": pl.Int64(),
}
NEEDED = (
    "row",
    "key",
    "source",
    "problem",
    "answer",
    "task",
    "n_qas",
    "n_yes",
    "n_no",
    "concepts",
    "cell",
    "cell_quota",
    "rank",
)
MADE = {"made by": "recipe score"}  # in the file
BELOW = ("cluster", "cell", "nearest")  # numbers of clusters, cells and rows, of which there are no more than rows


def read_scores(file: Path) -> pl.DataFrame:
    """Read the scores that were written beside a mix; names of former versions are replaced by today's.

    Parameters
    ----------
    file
        A ``.scores.parquet`` file.

    Returns
    -------
    polars.DataFrame
        A line for each sample, as of `recipe.data.selection.Selection.scores`.

    Raises
    ------
    InputError
        If it cannot be read, or a column is missing, of another type, or out of its range.
    """
    scores = read_parquet(file)
    if fault := next(_faults(scores), None):
        raise InputError(f"{file}: {fault}; write the mix again")
    renamed = {old: new for old, new in SCORES.items() if old in scores.columns and new not in scores.columns}
    return scores.rename(renamed)


def is_scores(file: Path) -> bool:
    """Return whether a file holds scores that `recipe score` wrote; what another program writes has no such word."""
    try:
        with unprinted():
            return MADE.items() <= pl.read_parquet_metadata(file).items()
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return False


def _faults(scores: pl.DataFrame) -> Iterator[str]:
    """Yield what is wrong with a table of scores."""
    for name in NEEDED:
        if name not in scores.columns:
            yield f"expected the column '{name}', got {', '.join(scores.columns):.60}"
    for name, got in scores.schema.items():
        wanted: Any = KINDS.get(name)
        if got != wanted and not (wanted is None and got.is_float()):
            yield f"{name}: expected a column of {wanted or 'Float32 or Float64'}, got {got}"
    rows, rank = scores.height, scores["rank"].drop_nulls().sort()
    if not scores["row"].equals(pl.int_range(rows, dtype=pl.UInt32, eager=True).alias("row")):
        yield f"row: expected 0 to {rows - 1} in order, got others"
    if not rank.equals(pl.int_range(len(rank), dtype=pl.UInt32, eager=True).alias("rank")):
        yield f"rank: expected 0 to {len(rank) - 1}, each once, got others"
    for name in (one for one in BELOW if one in scores.columns):
        if not scores[name].drop_nulls().cast(pl.Int64).is_between(-1, rows - 1).all():
            yield f"{name}: expected numbers below {rows}, got others"
    if not scores["cell_quota"].drop_nulls().is_between(0, rows).all():
        yield f"cell_quota: expected counts up to {rows}, got others"
