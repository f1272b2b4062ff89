"""In which metrics a recipe is better than the baseline: one tile for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl
import vl_convert

from recipe.io.marks import has_mark, marked, marked_png
from recipe.io.outputs import open_output
from recipe.report.charts._theme import DIVERGING, INK, SCALE, Picture, data, make_picture
from recipe.report.comparison import METRICS, SIGNS, Comparison

if TYPE_CHECKING:
    from pathlib import Path

COLORS = {"better": DIVERGING[3], "no difference": DIVERGING[2], "worse": DIVERGING[1], "not measured": "#ffffff00"}
ROW = 20  # pixels: the height of a line of tiles


def draw_comparison(found: Comparison, *, against: str = "random") -> Picture:
    """Draw the words of a comparison as tiles: a line for each recipe and size, a column for each metric.

    Parameters
    ----------
    found
        As `compare_mixes` returns it.
    against
        Name of the recipe that the others are compared with.

    Returns
    -------
    Picture
        Each tile shows its means, difference and interval as a tooltip.

    Raises
    ------
    ConfigError
        If there is no such recipe.
    """
    table = found.table(against).filter(pl.col("recipe") != against)
    place = pl.format("{} at {}", "recipe", pl.col("size").map_elements("{:,}".format, return_dtype=pl.String))
    table = table.with_columns(place=place, sign=pl.col("word").replace_strict(SIGNS))
    places = table["place"].unique(maintain_order=True).to_list()
    names = [name for name in METRICS if name in set(table["metric"])]
    base = alt.Chart(data(table)).encode(
        x=alt.X("metric:N", sort=names, title=None, axis=alt.Axis(orient="top", labelAngle=-50, labelLimit=120)),
        y=alt.Y("place:N", sort=places, title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=[
            alt.Tooltip("recipe:N"),
            alt.Tooltip("size:Q", format=","),
            alt.Tooltip("metric:N"),
            alt.Tooltip("word:N", title="compared with the baseline"),
            *(alt.Tooltip(f"{name}:Q", format=".4~f") for name in ("mean", "baseline", "difference", "low", "high")),
        ],
    )
    color = alt.Color("word:N", scale=alt.Scale(domain=list(COLORS), range=list(COLORS.values())), title=None)
    tiles = base.mark_rect(stroke="white", strokeWidth=1).encode(color=color)
    marks = base.mark_text(color=INK).encode(text="sign:N", color=alt.value("#222222"))
    counts = {word: int((table["word"] == word).sum()) for word in COLORS}
    summary = ", ".join(f"{word} {count}" for word, count in counts.items() if count)
    return make_picture(
        [tiles, marks],
        title=f"Compared with {against}",
        subtitle=[f"{summary}; of twenty words one is wrong by chance"],
        description=f"Tiles that say for each recipe, size and metric whether it is better than {against}.",
        height=alt.Step(ROW),
    )


def save_comparison(found: Comparison, path: Path) -> Path:
    """Write the chart as an HTML page that needs no network, or as an image: .html, .png or .svg."""
    picture = draw_comparison(found).to_dict()
    with open_output(path, own=has_mark) as file:
        if path.suffix == ".png":
            file.write(marked_png(vl_convert.vegalite_to_png(picture, scale=SCALE)))
        elif path.suffix == ".svg":
            file.write(marked(vl_convert.vegalite_to_svg(picture)).encode())
        else:
            file.write(marked(vl_convert.vegalite_to_html(picture, bundle=True)).encode())
    return path
