"""Why a sample was picked, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from recipe.errors import ConfigError

if TYPE_CHECKING:
    from recipe.outcome import Mix


@dataclass(frozen=True)
class Why:
    """Why a sample is in the mix or not.

    Parameters
    ----------
    row, key, id
        The sample.
    rank
        Its number in pick order, from 0; None if it was not picked.
    gains
        Term of the objective to what the pick added to it when it was picked; empty if it was not picked, or the
        selector has no terms.
    labels
        Source, image, task, answer, cluster, concepts.
    cell
        `number`, `quota` and `supply` of its cell; empty if it may not be selected.
    scores
        Score to its value, and the share of eligible samples that score less.
    stands_for
        The nearest samples that it stands for, the nearest first: row, key, similarity; and `count` of all of them.
    nearest
        The pick that stands for it: row, key, similarity; None if it was picked itself or its cluster has no pick.
    problem
        Why it may not be selected; None if it may.
    """

    row: int
    key: str
    id: str
    rank: int | None
    gains: dict[str, float]
    labels: dict[str, Any]
    cell: dict[str, int]
    scores: dict[str, tuple[float, float]]
    stands_for: list[dict[str, Any]]
    count: int
    nearest: dict[str, Any] | None
    problem: str | None


def row_of(mix: Mix, key: str) -> int:
    """Find the row of a key, or of the only key that begins so.

    Parameters
    ----------
    mix
        Any.
    key
        A key or its first characters.

    Returns
    -------
    int
        A row of the pool; where rows share a key, the first that may be selected.

    Raises
    ------
    ConfigError
        If no key, or more than one, begins so.
    """
    rows = mix.pool.rows
    found = rows.select("row", "key", "problem").filter(pl.col("key").str.starts_with(key))
    if found["key"].n_unique() != 1:
        got = f"{found['key'].n_unique():,} keys that begin so" if found.height else "none"
        raise ConfigError(f"expected the key of a sample, or its beginning, got key={key!r}: {got}")
    return int(found.sort(pl.col("problem").is_not_null(), "row", maintain_order=True)["row"][0])


def explain(mix: Mix, key: str) -> Why: ...
