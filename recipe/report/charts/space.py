"""The pool as a map: similar samples are near each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import polars as pl

from recipe.errors import ConfigError, nearest
from recipe.report.charts._counts import OTHER, need
from recipe.report.charts._points import LABELS, describe_points, draw_points, place_points
from recipe.report.charts._theme import INK, MIX, PALETTE, POOL, Picture, data, make_picture

if TYPE_CHECKING:
    from recipe.data.selection import Selection

MOST = 5000  # points
HIGH = 460  # pixels
METHODS = {"pca": "Two principal components", "umap": "UMAP"}
HOVER = {"question": "question", "answer_text": "answer", "task": "task", "answer": "kind of answer"}
HOVER |= {"cluster": "cluster", "source": "source", "representative": "pick", "key": "key"}


def draw_map(mix: Selection, *, color: str = "task", points: int = MOST, method: str = "pca") -> Picture:
    """Draw samples of the pool as points in two dimensions; tooltips show their text.

    Parameters
    ----------
    mix
        Its pool has the columns `x` and `y`; `method="umap"` needs its vectors instead.
    color
        ``"task"``, ``"answer"``, ``"source"``, ``"cluster"`` or ``"picked"``. The eight most frequent values have
        their own colors and all others are gray; for clusters the colors repeat, to show which points are together.
    points
        The maximum number, 1 to 5,000. They are sampled at random from those that may be picked, half of them picks.
    method
        ``"pca"``, or ``"umap"`` (umap-learn; slower, and its coordinates depend on its version and the machine).

    Returns
    -------
    Picture
        Dots, and diamonds with an outline for picks.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the pool lacks what the map needs.
    MissingExtra
        If umap-learn is not installed.
    """
    kinds = (*LABELS, "picked")
    if color not in kinds:
        raise ConfigError(f"chart map: expected color to be a label, got {color!r}, {nearest(str(color), kinds)}")
    if method not in METHODS:
        raise ConfigError(f"chart map: expected method='pca' or method='umap', got {method!r}")
    if not isinstance(points, int) or not 1 <= points <= MOST:
        raise ConfigError(f"chart map: expected points from 1 to {MOST:,}, got {points!r}")
    labels, axes = [color] if color in LABELS else [], ["x", "y"] if method == "pca" else []
    need(mix, "key", *labels, *axes, chart="map")
    rows = draw_points(mix, points)
    places = place_points(mix, rows, method)
    seen = np.isfinite(places).all(axis=1)
    table = describe_points(mix, rows[seen]).with_columns(x=pl.Series(places[seen, 0]), y=pl.Series(places[seen, 1]))
    table, hues = _colored(table, color)
    layers = _layers(table, hues)
    ours = int((table["picked"] == "picked").sum())
    subtitle = [f"{table.height:,} samples, {ours:,} of them picks (diamonds)", f"{METHODS[method]} of their vectors"]
    if color == "cluster":
        subtitle.append(f"{len(PALETTE)} colors for {table['cluster'].n_unique():,} clusters: see the tooltips")
    description = f"A scatter plot of samples by similarity, colored by {color}."
    return make_picture(layers, title="Map of the pool", subtitle=subtitle, description=description, height=HIGH)


def _layers(table: pl.DataFrame, hues: alt.Scale) -> list[alt.Chart]:
    """Draw the samples that were not picked, and the picks above them."""
    tips = [alt.Tooltip(f"{name}:N", title=title) for name, title in HOVER.items() if name in table.columns]
    legend = (
        None if hues.domain is alt.Undefined else alt.Legend(symbolType="circle", symbolOpacity=1, symbolStrokeWidth=0)
    )
    hue = alt.Color("hue:N", scale=hues, title=None, legend=legend)
    free = alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)  # coordinates have no unit
    scale = alt.Scale(zero=False, nice=False, padding=8)
    places: dict[str, Any] = {"x": alt.X("x:Q", axis=free, scale=scale), "y": alt.Y("y:Q", axis=free, scale=scale)}
    looks: dict[str, dict[str, Any]] = {
        "not picked": {"shape": "circle", "size": 12, "opacity": 0.5, "filled": True},
        "picked": {"shape": "diamond", "size": 28, "opacity": 0.95, "filled": True, "stroke": INK, "strokeWidth": 0.6},
    }
    return [
        # Screen readers get the description instead of thousands of points.
        alt.Chart(data(table.filter(picked=kind).drop("picked")))
        .mark_point(aria=False, **look)
        .encode(color=hue, tooltip=tips, **places)
        for kind, look in looks.items()
    ]


def _colored(table: pl.DataFrame, color: str) -> tuple[pl.DataFrame, alt.Scale]:
    """Add the column `hue`, and return the scale of its colors."""
    if color == "picked":
        return table.with_columns(hue="picked"), alt.Scale(domain=["picked", "not picked"], range=[MIX, POOL])
    if color == "cluster":
        turn = pl.col("cluster").cast(pl.Int64, strict=False).fill_null(0) % len(PALETTE)
        return table.with_columns(hue=turn.cast(pl.String)), alt.Scale(range=list(PALETTE))
    counts = table[color].value_counts(name="n").sort("n", color, descending=[True, False])
    known = counts[color].to_list()
    if len(known) > len(PALETTE):
        known = known[: len(PALETTE)]
        hue = pl.when(pl.col(color).is_in(known)).then(color).otherwise(pl.lit(OTHER))
        return table.with_columns(hue=hue), alt.Scale(domain=[*known, OTHER], range=[*PALETTE, POOL])
    return table.with_columns(hue=color), alt.Scale(domain=known, range=list(PALETTE[: len(known)]))
