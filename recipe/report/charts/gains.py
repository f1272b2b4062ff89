"""The gain of each pick, and how close the objective is to its upper bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import polars as pl

from recipe.errors import ConfigError
from recipe.report.charts._theme import INK, PALETTE, Picture, data, make_picture, percent

if TYPE_CHECKING:
    from recipe.data.selection import Selection

MOST = 2000  # points of all curves together
DIGITS = 6
TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]
SPAN = alt.Scale(domain=[0, 1.1])  # leaves room for the label above the bound


def draw_gains(mix: Selection, *, what: str = "objective") -> Picture:
    """Draw how the objective grows with each pick, and the upper bound of any mix under the same quotas.

    The curve is scaled so that it ends at the certificate and the bound is at 100 %: in a large pool the gains of picks
    count near samples only, and so add up to less than the objective.

    Parameters
    ----------
    mix
        Its selector has an objective.
    what
        ``"objective"``: the objective of the picks so far, its terms stacked, and the upper bound if the selector gives
        one. ``"picks"``: the gain of each pick by itself, on a log scale.

    Returns
    -------
    Picture
        At most 2,000 points; of more picks, each point is the mean of a bin.

    Raises
    ------
    ConfigError
        If the mix has no gains, or `what` is something else.
    """
    if what not in {"objective", "picks"}:
        raise ConfigError(f"chart gains: expected what='objective' or what='picks', got {what!r}")
    if not mix.picks.gains or not len(mix):
        raise ConfigError(
            f"chart gains: expected picks with gains, got none from select: {mix.recipe.select.label}; "
            "draw a mix whose selector has an objective, as facility"
        )
    table = _thinned(mix.picks.gains)
    return _objective(mix, table) if what == "objective" else _picks(mix, table)


def _objective(mix: Selection, table: pl.DataFrame) -> Picture:
    """Draw the stacked terms of the objective, below the bound."""
    terms = list(mix.picks.gains)
    start = pl.DataFrame({"rank": 0, "picks": 0, "term": terms, "gain": 0.0, "total": 0.0}).cast(table.schema)
    reached = 1.0 if mix.certificate is None else mix.certificate
    total = sum(float(gain.sum()) for gain in mix.picks.gains.values()) or 1.0
    share = (pl.col("total") * (reached / total)).round(DIGITS)
    place = pl.col("term").replace_strict(terms, range(len(terms)))
    whole = pl.concat([start, table]).with_columns(share=share, place=place)
    of = "its end" if mix.certificate is None else "the upper bound"
    y = alt.Y(**percent("share", f"objective, as a share of {of}", values=TICKS), stack="zero", scale=SPAN)
    areas = alt.Chart(data(whole)).mark_area(opacity=0.85)
    layers = [
        areas.encode(x=_ranks(mix), y=y, color=_colors(terms), order=alt.Order("place:Q"), tooltip=_tips("share"))
    ]
    subtitle = [f"Half of it after {_half(table):,} of {len(mix):,} picks"]
    if mix.certificate is not None:
        bound = pl.DataFrame({"bound": [1.0], "label": ["upper bound"]})
        rule = alt.Chart(data(bound)).encode(y=alt.Y("bound:Q"))
        layers += [
            rule.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=1.5),
            rule.mark_text(align="right", baseline="bottom", dy=-4, dx=-4).encode(x=alt.value("width"), text="label:N"),
        ]
        subtitle.append(f"At least {reached:.1%} of the best under these quotas")
    description = "Areas of the objective by term, growing with each pick, and a dashed line at the upper bound."
    return make_picture(layers, title="Objective reached", subtitle=subtitle, description=description)


def _picks(mix: Selection, table: pl.DataFrame) -> Picture:
    """Draw the gain of each pick; a gain of zero has no place on a log scale."""
    terms = list(mix.picks.gains)
    lines = alt.Chart(data(table.filter(pl.col("gain") > 0))).mark_line(strokeWidth=1.5)
    y = alt.Y(
        "gain:Q",
        title="added by a pick (log scale)",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~g", tickCount=5),
    )
    layer = lines.encode(x=_ranks(mix), y=y, color=_colors(terms), tooltip=_tips("gain"))
    size = int(table["picks"][0])
    subtitle = "One point a pick" if size == 1 else f"Each point is the mean of {size:,} picks"
    description = "Lines of the gain of each pick in each term of the objective, in pick order."
    return make_picture([layer], title="Gain of each pick", subtitle=subtitle, description=description)


def _thinned(gains: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]) -> pl.DataFrame:
    """Return rank (last of the bin, from 1), picks of the bin, term, mean gain, and cumulative gain, term by term."""
    count = len(next(iter(gains.values())))
    size = -(-count // max(1, MOST // len(gains) - 1))
    first = np.arange(0, count, size)
    last = np.minimum(first + size, count)
    tables = []
    for term, gain in gains.items():
        sums = np.add.reduceat(gain, first)
        columns = {"gain": sums / (last - first), "total": np.cumsum(sums)}
        tables.append(pl.DataFrame({"rank": last, "picks": last - first, "term": [term] * len(last), **columns}))
    return pl.concat(tables).with_columns(pl.col("gain", "total").round_sig_figs(DIGITS))


def _half(table: pl.DataFrame) -> int:
    """Return after how many picks half of the objective is reached."""
    reached = table.group_by("rank").agg(pl.col("total").sum()).sort("rank")
    at = (reached["total"] >= reached["total"][-1] / 2).arg_max()
    return int(reached["rank"][at or 0])


def _ranks(mix: Selection) -> alt.X:
    """Return the axis of pick order."""
    scale = alt.Scale(domain=[0, len(mix)], nice=False)
    return alt.X("rank:Q", title="picks", scale=scale, axis=alt.Axis(format=",d", tickCount=5, tickMinStep=1))


def _colors(terms: list[str]) -> alt.Color:
    """Return one color a term."""
    scale = alt.Scale(domain=terms, range=[PALETTE[at % len(PALETTE)] for at in range(len(terms))])
    return alt.Color("term:N", scale=scale, title=None)


def _tips(value: str) -> list[alt.Tooltip]:
    """Return the tooltips."""
    return [
        alt.Tooltip("term:N", title="term"),
        alt.Tooltip("rank:Q", title="picks so far", format=","),
        alt.Tooltip("gain:Q", title="added by a pick", format=".4~g"),
        *([alt.Tooltip("share:Q", title="share reached", format=".1%")] if value == "share" else []),
    ]
