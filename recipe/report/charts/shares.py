"""Shares of tasks and of kinds of answer, in the mix and in the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from recipe.report.charts._counts import count_values, join_rest, sizes
from recipe.report.charts._theme import BAR, Picture, data, make_picture, percent, side_scale

if TYPE_CHECKING:
    from recipe.data.selection import Selection

MOST = 20  # values that have a bar of their own


def draw_tasks(mix: Selection) -> Picture:
    """Draw the share of each task, in the mix and in the pool.

    Parameters
    ----------
    mix
        Its pool has the column `task`.

    Returns
    -------
    Picture
        Grouped bars: the 20 most frequent tasks of the mix, and the others together.

    Raises
    ------
    ConfigError
        If the pool has no tasks.
    """
    return _shares(mix, "task", "Samples by task")


def draw_answers(mix: Selection) -> Picture:
    """Draw the share of each kind of answer, in the mix and in the pool.

    Parameters
    ----------
    mix
        Its pool has the column `answer`.

    Returns
    -------
    Picture
        Grouped bars, as of `draw_tasks`.

    Raises
    ------
    ConfigError
        If the pool has no kinds of answers.
    """
    return _shares(mix, "answer", "Samples by kind of answer")


def _shares(mix: Selection, column: str, title: str) -> Picture:
    """Draw grouped bars of one column."""
    counts = join_rest(count_values(mix, column, chart=f"{column}s"), MOST)
    shares = counts.with_columns(mix_share=pl.col("mix") / len(mix), pool_share=pl.col("pool") / len(mix.pool))
    sides = [
        shares.select("value", set=pl.lit(side), share=f"{side}_share", samples=side, times=_times())
        for side in ("mix", "pool")
    ]
    bars = (
        alt.Chart(data(pl.concat(sides)))
        .mark_bar()
        .encode(
            x=alt.X(**percent("share", "share of samples", tickCount=6)),
            y=alt.Y("value:N", sort=shares["value"].to_list(), title=None),
            yOffset=alt.YOffset("set:N", sort=["mix", "pool"]),
            color=alt.Color("set:N", scale=side_scale(), title=None),
            tooltip=[
                alt.Tooltip("value:N", title=column),
                alt.Tooltip("set:N", title="of the"),
                alt.Tooltip("samples:Q", format=",", title="samples"),
                alt.Tooltip("share:Q", format=".2%", title="share"),
                alt.Tooltip("times:N", title="mix to pool"),
            ],
        )
    )
    description = f"Bars of the share of each {column}, in the mix and in the pool."
    subtitle = [sizes(mix), _moved(shares)]
    return make_picture([bars], title=title, subtitle=subtitle, description=description, height=alt.Step(BAR))


def _times() -> pl.Expr:
    """Return how many times as frequent a value is in the mix."""
    times = (pl.col("mix_share") / pl.col("pool_share")).round(2).cast(pl.String)
    return pl.when(pl.col("pool") > 0).then(pl.format("{} times", times)).otherwise(pl.lit(""))


def _moved(shares: pl.DataFrame) -> str:
    """Return which share rises most and which falls most, in percentage points."""
    moved = shares.with_columns(by=((pl.col("mix_share") - pl.col("pool_share")) * 100).round(1)).sort(
        "by", "value", descending=[True, False]
    )
    up, down = moved.row(0, named=True), moved.row(-1, named=True)
    if up["by"] <= 0 or down["by"] >= 0:
        return "No share rises or falls"
    return f"Up: {up['value']} ({up['by']:+} points); down: {down['value']} ({down['by']:+})"
