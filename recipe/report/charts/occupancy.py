"""How evenly the mix is spread over the clusters of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import polars as pl

from recipe.report.charts._counts import need, picked
from recipe.report.charts._theme import INK, Picture, data, make_picture, percent, side_scale

if TYPE_CHECKING:
    from recipe.data.selection import Selection

MOST = 1000  # points of a curve


def draw_clusters(mix: Selection) -> Picture:
    """Draw the cumulative share of the mix, and of the pool, in the largest clusters of the pool.

    Both curves have the clusters in the same order, the largest of the pool first, so the gap between them is the share
    that selection moved from frequent to rare clusters; at a cluster that the mix does not reach its curve is flat.
    Curves that are each sorted by themselves would look the same even if the mix had only one half of the pool's
    clusters. The straight line is the same number of samples from each cluster.

    Parameters
    ----------
    mix
        Its pool has the column `cluster`.

    Returns
    -------
    Picture
        Cumulative shares by rank; of more than 1,000 clusters, 1,000 points are drawn.

    Raises
    ------
    ConfigError
        If the pool has no clusters.
    """
    table = _ranked(mix)
    count = table.height - 1
    shown = table[np.unique(np.linspace(0, count, min(count, MOST) + 1).round().astype(np.int64))]
    sides = [shown.select("rank", "cluster", set=pl.lit(s), share=f"{s}_share", samples=s) for s in ("mix", "pool")]
    curves = alt.Chart(data(pl.concat(sides)))
    scale = alt.Scale(domain=[0, count], nice=False)
    x = alt.X(
        "rank:Q",
        title="clusters, the largest of the pool first",
        scale=scale,
        axis=alt.Axis(format=",d", tickMinStep=1),
    )
    y = alt.Y(**percent("share", "share of samples so far"), scale=alt.Scale(domain=[0, 1]))
    tips = [
        alt.Tooltip("cluster:Q", title="cluster"),
        alt.Tooltip("rank:Q", title="rank by size", format=","),
        alt.Tooltip("set:N", title="of the"),
        alt.Tooltip("samples:Q", title="samples in it", format=","),
        alt.Tooltip("share:Q", title="share so far", format=".1%"),
    ]
    color = alt.Color("set:N", scale=side_scale(), title=None)
    even = alt.Chart(data(pl.DataFrame({"rank": [0, count], "share": [0.0, 1.0]}))).mark_line(
        color=INK, strokeDash=[3, 4], strokeWidth=1
    )
    lines = curves.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=color)
    points = curves.mark_point(size=60, opacity=0, filled=True).encode(x=x, y=y, color=color, tooltip=tips)
    half = {side: int((table[f"{side}_share"] < 0.5).sum()) for side in ("pool", "mix")}  # noqa: PLR2004  one half
    reached = int((table["mix"] > 0).sum())
    subtitle = [
        f"Half of the pool: {half['pool']:,} clusters; of the mix: {half['mix']:,}",
        f"Reached: {reached:,} of {count:,}; dashed: all of one size",
    ]
    description = "Two curves that rise from 0 to 100 %: the share of the mix and of the pool in the largest clusters."
    layers = [even.encode(x=x, y=y), lines, points]
    return make_picture(layers, title="Samples by cluster", subtitle=subtitle, description=description)


def _ranked(mix: Selection) -> pl.DataFrame:
    """Return one line a cluster, after one of zeros: rank, cluster, pool, mix, and the cumulative shares."""
    labels = need(mix, "cluster", chart="clusters")
    count = pl.len().cast(pl.Int64)
    theirs = labels.drop_nulls().group_by("cluster").agg(pool=count)
    ours = picked(mix, labels).drop_nulls().group_by("cluster").agg(mix=count)
    both = theirs.join(ours, on="cluster", how="left").with_columns(pl.col("mix").fill_null(0))
    ranked = both.sort("pool", "cluster", descending=[True, False])
    start = pl.DataFrame({"cluster": [None], "pool": [0], "mix": [0]}, schema=ranked.schema)
    share = [(pl.col(s).cum_sum() / pl.col(s).sum()).round(6).alias(f"{s}_share") for s in ("pool", "mix")]
    return pl.concat([start, ranked]).with_columns(*share, rank=pl.int_range(pl.len()))
