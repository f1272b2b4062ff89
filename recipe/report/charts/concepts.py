"""Where a concept is more frequent in the mix than in the pool, and where it is less frequent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import polars as pl

from recipe.report.charts._counts import NONE, need, picked
from recipe.report.charts._theme import DIVERGING, Picture, data, make_picture

if TYPE_CHECKING:
    from recipe.data.selection import Selection

SLICE = 1 << 18  # samples whose lists of concepts are exploded at a time
MOST = 40  # concepts that are shown
TASKS = 20  # tasks that are shown
LINE = 18  # pixels of the row of a concept
ENDS = 3  # powers of two at the ends of the color scale


def draw_concepts(mix: Selection) -> Picture:
    """Draw how many times as frequent each concept of each task is in the mix as in the pool.

    Parameters
    ----------
    mix
        Its pool has the columns `concepts` and `task`.

    Returns
    -------
    Picture
        A heat map of the binary logarithm of share in the mix / share in the pool; its color scale ends at 8 times and
        one eighth. Left blank are pairs that are not in the pool, and those of which the mix has no sample and a random
        mix would have less than one. At most 40 concepts and 20 tasks are shown, the most frequent in the pool.

    Raises
    ------
    ConfigError
        If the pool has no concepts.
    """
    labels = need(mix, "concepts", "task", chart="concepts").with_columns(
        pl.col("task").cast(pl.String).fill_null(NONE)
    )
    pairs = _pairs(labels, "pool").join(_pairs(picked(mix, labels), "mix"), on=["concept", "task"], how="left")
    pairs = pairs.with_columns(pl.col("mix").fill_null(0), expected=pl.col("pool") * (len(mix) / len(mix.pool)))
    concepts, tasks = _most_frequent(pairs, "concept"), _most_frequent(pairs, "task")
    shown = (
        pairs.filter(pl.max_horizontal("mix", "expected") >= 1)
        .filter(pl.col("concept").is_in(concepts[:MOST]) & pl.col("task").is_in(tasks[:TASKS]))
        .with_columns(times=(pl.col("mix") / pl.col("expected")).round(4), expected=pl.col("expected").round(1))
        .with_columns(log=pl.col("times").log(2).clip(-ENDS, ENDS).round(4))
        .sort("concept", "task")
    )
    color = alt.Color(
        "log:Q",
        scale=alt.Scale(domain=np.linspace(-ENDS, ENDS, len(DIVERGING)).tolist(), range=list(DIVERGING), clamp=True),
        title="mix : pool",
        legend=alt.Legend(
            gradientLength=120,
            values=[-ENDS, 0, ENDS],
            labelExpr="datum.value < 0 ? '1/' + pow(2, -datum.value) : '' + pow(2, datum.value)",
            titleLimit=400,
        ),
    )
    cells = alt.Chart(data(shown)).mark_rect()
    cells = cells.encode(
        x=alt.X("task:N", sort=tasks[:TASKS], title=None, axis=alt.Axis(labelAngle=-90)),
        y=alt.Y("concept:N", sort=concepts[:MOST], title=None, axis=alt.Axis(labelLimit=190, labelFontSize=11)),
        color=color,
        tooltip=[
            alt.Tooltip("concept:N", title="concept"),
            alt.Tooltip("task:N", title="task"),
            alt.Tooltip("mix:Q", title="samples of the mix", format=","),
            alt.Tooltip("expected:Q", title="by the pool's share", format=",.1f"),
            alt.Tooltip("pool:Q", title="samples of the pool", format=","),
            alt.Tooltip("times:Q", title="times as frequent", format=".2f"),
        ],
    )
    description = "A heat map with a line for each concept and a column for each task."
    subtitle = _subtitle(len(concepts), len(tasks), pairs)
    height = alt.Step(LINE)
    return make_picture([cells], title="Concepts by task", subtitle=subtitle, description=description, height=height)


def _pairs(labels: pl.DataFrame, side: str) -> pl.DataFrame:
    """Count the samples of each concept and task; lists are exploded a slice at a time."""
    count = pl.len().cast(pl.Int64).alias(side)
    tables = [
        labels.slice(at, SLICE).explode("concepts").drop_nulls("concepts").group_by("concepts", "task").agg(count)
        for at in range(0, labels.height, SLICE)
    ]
    return pl.concat(tables).group_by(pl.col("concepts").alias("concept"), "task").agg(pl.col(side).sum())


def _most_frequent(pairs: pl.DataFrame, column: str) -> list[str]:
    """List the values of a column, the most frequent in the pool first."""
    counts = pairs.group_by(column).agg(pl.col("pool").sum())
    return counts.sort("pool", column, descending=[True, False])[column].to_list()


def _subtitle(concepts: int, tasks: int, pairs: pl.DataFrame) -> list[str]:
    """Return how many concepts the mix reaches, and what is left out."""
    reached = pairs.filter(pl.col("mix") > 0)["concept"].n_unique()
    lines = [
        "How many times as frequent in the mix as in the pool",
        f"{reached:,} of {concepts:,} concepts reached; blank: too few samples",
    ]
    if concepts > MOST or tasks > TASKS:
        lines.append(f"Shown: the {min(concepts, MOST)} most frequent concepts and {min(tasks, TASKS)} tasks")
    return lines
