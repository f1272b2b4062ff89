"""The style of all charts, and how they are shown without a network."""

from __future__ import annotations

import re
from copy import deepcopy
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

INK = "#757575"  # text: 4.5 : 1 on white and 4 : 1 on the dark of a notebook, so that one chart serves both
FAINT = "#88888840"  # grid
POOL, MIX = "#919191", "#e76300"
# Petroff 2021, Accessible Color Sequences for Data Visualization (arXiv 2107.02270), ten colors, without its two grays
# and with the color of the mix at its end: gray is for values without a color of their own.
PALETTE = ("#3f90da", "#ffa90e", "#832db6", "#92dadd", "#bd1f01", "#b9ac70", "#a96b59", "#e76300")
DIVERGING = (
    "#2065ab",
    "#6aacd0",
    "#e3e3e3",
    "#f0a35e",
    "#b35806",
)  # less to more: blue and orange are distinct to the color-blind too
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'DejaVu Sans', sans-serif"
WIDTH, HEIGHT = 640, 300  # pixels, including the titles of the axes
LINE = 50  # characters of a line of the subtitle, to fit a phone
BAR = 9  # pixels: the height of one bar
# JupyterLab draws Vega-Lite up to version 5 itself, without a network. The charts use no feature newer than that.
NOTEBOOK = "application/vnd.vegalite.v5+json"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.20.1.json"
BRACKET = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"  # looks like <
SCALE = 2  # pixels of the image for one of the chart


class Picture(alt.LayerChart):
    """An altair chart that a notebook shows without a network: as Vega-Lite where it is supported, else as an image.

    A renderer that was chosen with `altair.renderers.enable` is kept. In text that would end a script element, the
    first character is replaced by one that looks the same, since altair writes a specification into a page unescaped.
    """

    def to_dict(self, *args: Any, **kwds: Any) -> dict[str, Any]:
        """Return the specification; no text in it begins or ends a script element."""
        safe: dict[str, Any] = _safe(super().to_dict(*args, **kwds))
        return safe

    def _repr_mimebundle_(self, *args: Any, **kwds: Any) -> Any:
        """Return the formats that a notebook may show."""
        if alt.renderers.active not in {"", "default"}:
            return super()._repr_mimebundle_(*args, **kwds)
        spec = self.to_dict()
        image = vl_convert.vegalite_to_png(spec, scale=SCALE)
        return {NOTEBOOK: spec | {"$schema": SCHEMA}, "image/png": image, "text/plain": spec["description"]}


def _safe(spec: Any) -> Any:
    """Replace `<` where it would begin or end a script element, in all text of a specification."""
    if isinstance(spec, str):
        return re.sub(r"<(?=/?script|!--)", BRACKET, spec, flags=re.IGNORECASE)
    if isinstance(spec, dict):
        return {name: _safe(value) for name, value in spec.items()}
    return [_safe(value) for value in spec] if isinstance(spec, list) else spec


def make_picture(
    layers: Sequence[alt.Chart],
    *,
    title: str,
    subtitle: str | Sequence[str],
    description: str,
    height: int | alt.Step = HEIGHT,
) -> Picture:
    """Layer charts, in the common style.

    Parameters
    ----------
    layers
        Charts, the lowest first.
    title
        What is shown; short, so that it fits a phone.
    subtitle
        The result: lines below the title, without a full stop; long ones are wrapped.
    description
        The text for screen readers.
    height
        Pixels, or a step for each line.

    Returns
    -------
    Picture
        `WIDTH` pixels wide.
    """
    lines = [subtitle] if isinstance(subtitle, str) else list(subtitle)
    return Picture(
        layer=list(layers),
        title=alt.TitleParams(text=title, subtitle=[part for line in lines for part in wrap(line, LINE)]),
        description=" ".join([description, *(f"{line}." for line in lines)]),
        width=WIDTH,
        height=height,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        config=deepcopy(CONFIG),
    )


def data(table: pl.DataFrame) -> alt.InlineData:
    """Return a table as the data of a chart: as CSV, since altair checks every value of a list of records."""
    numbers = {name: "number" for name, dtype in table.schema.items() if dtype.is_numeric()}
    form = alt.CsvDataFormat(type="csv", parse=numbers)
    return alt.InlineData(values=table.write_csv(), format=form)


def side_scale() -> alt.Scale:
    """Return the colors of mix and pool."""
    return alt.Scale(domain=["mix", "pool"], range=[MIX, POOL])


def percent(name: str, title: str, **knobs: Any) -> dict[str, Any]:
    """Return the options of an axis of shares: field, type and labels in percent."""
    axis = alt.Axis(format="~%", title=title, labelOverlap=True, **knobs)
    return {"field": name, "type": "quantitative", "axis": axis}


LABELS = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "padding": 8,
    "view": {"stroke": None},
    "title": {"color": INK, "subtitleColor": INK, "anchor": "start", "frame": "bounds", "offset": 12}
    | {"fontSize": 15, "fontWeight": 600, "subtitleFontSize": 12, "subtitlePadding": 5, "subtitleLineHeight": 16},
    "axis": LABELS | {"gridColor": FAINT, "domainColor": INK, "tickColor": FAINT, "labelLimit": 170, "titlePadding": 8},
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "legend": LABELS | {"orient": "top", "offset": 4, "columns": 2, "labelLimit": 150},
    "text": {"color": INK, "fontSize": 12},
}
