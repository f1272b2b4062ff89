"""What charts count: a column of the pool and of the mix, value by value; never the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recipe.errors import ConfigError

if TYPE_CHECKING:
    from recipe.data.selection import Selection

NONE = "(none)"  # what a sample without a label is called
OTHER = "other"


def need(mix: Selection, *names: str, chart: str) -> pl.DataFrame:
    """Return columns of the pool, or say which are missing.

    Raises
    ------
    ConfigError
        If the pool lacks one, or the mix holds nothing.
    """
    rows = mix.pool.rows
    missing = [name for name in names if name not in rows.columns]
    if missing:
        raise ConfigError(
            f"chart {chart}: expected a pool with the column {' and '.join(missing)}, got one without; "
            "draw a mix that select_mix made or open_mix opened"
        )
    if not len(mix):
        raise ConfigError(f"chart {chart}: expected a mix of at least one sample, got none; select a mix first")
    return pl.DataFrame([rows[name] for name in names])


def picked(mix: Selection, table: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of the picks; each column is taken by itself, since a pool's may be cut in different ways."""
    return pl.DataFrame([column.gather(mix.picks.rows) for column in table])


def count_values(mix: Selection, column: str, *, chart: str) -> pl.DataFrame:
    """Count the values of a column: value (str), mix, pool (samples), the commonest in the mix first.

    Parameters
    ----------
    mix
        Any.
    column
        A label; samples without one count as ``(none)``.
    chart
        Who asks.

    Returns
    -------
    polars.DataFrame
        One line a value of the pool.
    """
    labels = need(mix, column, chart=chart)

    def counts(table: pl.DataFrame, name: str) -> pl.DataFrame:
        found = table[column].value_counts(name=name)
        return found.select(pl.col(column).cast(pl.String).fill_null(NONE).alias("value"), name)

    ours, theirs = counts(picked(mix, labels), "mix"), counts(labels, "pool")
    both = theirs.join(ours, on="value", how="left").with_columns(pl.col("mix").fill_null(0))
    return both.select("value", pl.col("mix", "pool").cast(pl.Int64)).sort(
        "mix", "pool", "value", descending=[True, True, False]
    )


def join_rest(counts: pl.DataFrame, most: int) -> pl.DataFrame:
    """Keep the first values, and count the others together as ``other``; one that would stand alone there stays."""
    if counts.height <= most + 1:
        return counts
    rest = counts.slice(most).select(pl.lit(f"{OTHER} ({counts.height - most})").alias("value"), "mix", "pool")
    return pl.concat([counts.head(most), rest.group_by("value").sum()])


def sizes(mix: Selection) -> str:
    """Say how many were picked of how many."""
    return f"{len(mix):,} picks of {len(mix.pool):,} samples"
