"""Counts for charts: the values of a column in the pool and in the mix; never the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recipe.errors import ConfigError

if TYPE_CHECKING:
    from recipe.data.selection import Selection

NONE = "(none)"  # the label of a sample without one
OTHER = "other"


def need(mix: Selection, *names: str, chart: str) -> pl.DataFrame:
    """Return columns of the pool, or raise if any are missing.

    Raises
    ------
    ConfigError
        If the pool lacks one, or the mix is empty.
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
    """Return the rows of the picks; each column is gathered by itself, since a pool's may have different chunks."""
    return pl.DataFrame([column.gather(mix.picks.rows) for column in table])


def count_values(mix: Selection, column: str, *, chart: str) -> pl.DataFrame:
    """Count the values of a column: value (str), mix, pool (samples), the most frequent in the mix first.

    Parameters
    ----------
    mix
        Any.
    column
        A label; samples without one count as ``(none)``.
    chart
        Name of the chart, for errors.

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
    """Keep the first values, and count the others together as ``other``, if there are at least two of them."""
    if counts.height <= most + 1:
        return counts
    rest = counts.slice(most).select(pl.lit(f"{OTHER} ({counts.height - most})").alias("value"), "mix", "pool")
    return pl.concat([counts.head(most), rest.group_by("value").sum()])


def sizes(mix: Selection) -> str:
    """Return how many samples were picked of how many."""
    return f"{len(mix):,} picks of {len(mix.pool):,} samples"
