"""The lengths of records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import polars as pl

from recipe.errors import ConfigError
from recipe.report.charts._counts import need
from recipe.report.charts._theme import Picture, data, make_picture, percent, side_scale

if TYPE_CHECKING:
    from recipe.data.selection import Selection

UNITS = {"words": "n_words", "tokens": "n_tokens"}


def draw_lengths(mix: Selection, *, what: str = "words") -> Picture:
    """Draw histograms of the lengths of records, in the mix and in the pool.

    Parameters
    ----------
    mix
        Any.
    what
        ``"words"`` or ``"tokens"`` (estimated, without image patches) of all turns of a record.

    Returns
    -------
    Picture
        Two histograms of shares over bins of half an octave: 1, 2, 3, 4, 6, 8, 12, 16, 23, 32 and so on.

    Raises
    ------
    ConfigError
        If `what` is something else.
    """
    if what not in UNITS:
        raise ConfigError(f"chart lengths: expected what='words' or what='tokens', got {what!r}")
    lengths = need(mix, UNITS[what], chart="lengths").to_series()
    ours = lengths.gather(mix.picks.rows)
    bins = _binned({"mix": ours, "pool": lengths})
    sides = pl.concat([bins.select("from", "to", set=pl.lit(s), share=f"{s}_share") for s in ("mix", "pool")])
    # The line of the mix drops to the axis at the end of the last bin.
    line = sides.filter(set="mix")
    end = line.tail(1).with_columns(pl.col("to").alias("from"), share=pl.lit(0.0))
    scale = alt.Scale(type="log", base=2, nice=False)
    axis = alt.Axis(
        title=f"{what} a record (log scale)", format=",", grid=False, labelOverlap=True, values=_powers(bins)
    )
    x = alt.X("from:Q", scale=scale, axis=axis)
    y = alt.Y(**percent("share", "share of records"))
    color = alt.Color("set:N", scale=side_scale(), title=None)
    bars = alt.Chart(data(sides.filter(set="pool"))).mark_bar(opacity=0.55, binSpacing=0)
    outline = alt.Chart(data(pl.concat([line, end]))).mark_line(interpolate="step-after", strokeWidth=2.5)
    hover = alt.Chart(data(bins)).mark_rect(opacity=0)
    tips = [alt.Tooltip("range:N", title=what)]
    for side in ("mix", "pool"):
        tips.append(alt.Tooltip(f"{side}_share:Q", title=f"share of the {side}", format=".1%"))
        tips.append(alt.Tooltip(f"{side}:Q", title=f"records of the {side}", format=","))
    layers = [
        bars.encode(x=x, x2="to:Q", y=y, y2=alt.Y2Datum(0), color=color),
        outline.encode(x=x, y=y, color=color),
        hover.encode(x=x, x2="to:Q", tooltip=tips),
    ]
    middle = {side: float(np.median(values.to_numpy())) for side, values in {"mix": ours, "pool": lengths}.items()}
    subtitle = f"Median: {middle['mix']:,.0f} {what} in the mix, {middle['pool']:,.0f} in the pool"
    description = f"Two histograms of the {what} a record, of the mix and of the pool, as shares."
    return make_picture(layers, title=f"{what.capitalize()} a record", subtitle=subtitle, description=description)


def _binned(sides: dict[str, pl.Series]) -> pl.DataFrame:
    """Count each side by bins of half an octave: from, to, range, and of each side records and their share.

    A record without words is counted with those of one word.
    """
    lengths = {side: np.maximum(values.to_numpy().astype(np.int64), 1) for side, values in sides.items()}
    octaves = int(np.log2(max(int(values.max()) for values in lengths.values()))) + 1
    edges = np.unique(np.ceil(2 ** (np.arange(2 * octaves + 1) / 2)).astype(np.int64))
    starts, ends = edges[:-1], edges[1:]
    ranges = [f"{a:,}" if b == a + 1 else f"{a:,} to {b - 1:,}" for a, b in zip(starts, ends, strict=True)]
    counts = {side: np.histogram(values, edges)[0] for side, values in lengths.items()}
    shares = {f"{side}_share": counts[side] / len(lengths[side]) for side in sides}
    used = np.flatnonzero(sum(counts.values()))
    return pl.DataFrame({"from": starts, "to": ends, "range": ranges, **counts, **shares})[used[0] : used[-1] + 1]


def _powers(bins: pl.DataFrame) -> list[int]:
    """Return the powers of two that the bins span."""
    low, high = int(bins["from"][0]), int(bins["to"][-1])
    return [2**power for power in range(low.bit_length() - 1, high.bit_length()) if low <= 2**power <= high]
