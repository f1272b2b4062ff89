"""The share of yes among yes and no answers, by task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from recipe.report.charts._counts import NONE, need, picked
from recipe.report.charts._theme import INK, Picture, data, make_picture, percent, side_scale

if TYPE_CHECKING:
    from recipe.data.selection import Selection

FEWEST = 10  # yes and no answers of a task in the mix, else no share is shown
LINE = 22  # pixels of the row of a task
ALL = "all tasks"


def draw_yes_no(mix: Selection) -> Picture:
    """Draw the share of yes among the yes and no answers of each task, in the mix and in the pool.

    Parameters
    ----------
    mix
        Its pool has the columns `task`, `n_yes` and `n_no`.

    Returns
    -------
    Picture
        Two dots a task, and a line at the recipe's `yes_share` if it has one. Tasks with fewer than 10 yes and no
        answers in the mix are left out, and the subtitle names them.

    Raises
    ------
    ConfigError
        If the pool has no counts of yes and no.
    """
    table = _answers(mix)
    total, few = table.row(0, named=True), table.slice(1).filter(pl.col("mix") < FEWEST)
    tasks = pl.concat([table.head(1), table.slice(1).filter(pl.col("mix") >= FEWEST)])
    order = tasks["task"].to_list()
    sides = [
        tasks.select(
            *("task", pl.lit(side).alias("set"), pl.col(f"{side}_yes").alias("yes"), pl.col(side).alias("answers")),
            share=(pl.col(f"{side}_yes") / pl.col(side)).fill_nan(None).round(6),
        )
        for side in ("mix", "pool")
    ]
    points = pl.concat(sides).drop_nulls("share")
    y = alt.Y("task:N", sort=order, title=None)
    x = alt.X(
        **percent("share", "yes among yes and no answers", values=[0, 0.25, 0.5, 0.75, 1]),
        scale=alt.Scale(domain=[0, 1]),
    )
    dots = (
        alt.Chart(data(points))
        .mark_point(filled=True, opacity=1)
        .encode(
            x=x,
            y=y,
            color=alt.Color("set:N", scale=side_scale(), title=None),
            size=alt.condition("datum.set == 'mix'", alt.value(110), alt.value(60)),
            tooltip=[
                alt.Tooltip("task:N", title="task"),
                alt.Tooltip("set:N", title="of the"),
                alt.Tooltip("share:Q", title="yes", format=".1%"),
                alt.Tooltip("yes:Q", title="answers yes", format=","),
                alt.Tooltip("answers:Q", title="answers yes or no", format=","),
            ],
        )
    )
    spans = points.group_by("task", maintain_order=True).agg(low=pl.col("share").min(), high=pl.col("share").max())
    bars = alt.Chart(data(spans)).mark_rule(color=INK, strokeWidth=2, opacity=0.6)
    layers = [bars.encode(x=alt.X("low:Q"), x2="high:Q", y=y), dots]
    wanted = mix.recipe.balance.yes_share
    if wanted is not None:
        rule = alt.Chart(data(pl.DataFrame({"share": [wanted]}))).mark_rule(color=INK, strokeDash=[3, 4])
        layers.insert(0, rule.encode(x=x))
    description = "Dots of the share of yes for each task, in the mix and in the pool."
    subtitle = _subtitle(total, wanted, few["task"].to_list())
    height = alt.Step(LINE)
    return make_picture(layers, title="Yes and no by task", subtitle=subtitle, description=description, height=height)


def _answers(mix: Selection) -> pl.DataFrame:
    """Count by task: mix_yes, mix, pool_yes, pool (answers); all tasks first, then those with most answers."""
    labels = need(mix, "task", "n_yes", "n_no", chart="yes_no").with_columns(
        pl.col("task").cast(pl.String).fill_null(NONE)
    )
    yes, no = pl.col("n_yes").cast(pl.Int64), pl.col("n_no").cast(pl.Int64)

    def count(table: pl.DataFrame, side: str) -> pl.DataFrame:
        """Sum the answers of one side."""
        return table.group_by("task").agg(yes.sum().alias(f"{side}_yes"), (yes.sum() + no.sum()).alias(side))

    both = count(labels, "pool").join(count(picked(mix, labels), "mix"), on="task", how="left").fill_null(0)
    known = both.filter(pl.col("pool") > 0).sort("mix", "pool", "task", descending=[True, True, False])
    everything = both.select(pl.lit(ALL).alias("task"), pl.exclude("task").sum())
    return pl.concat([everything, known])


def _subtitle(total: dict[str, int], wanted: float | None, few: list[str]) -> list[str]:
    """Return the share of the mix, the target, and what is left out."""
    if not total["mix"]:
        return ["The mix holds no yes or no answers"]
    target = "" if wanted is None else f" (dashed: {wanted:.0%})"
    lines = [f"{total['mix_yes'] / total['mix']:.1%} of {total['mix']:,} answers are yes{target}"]
    if few:
        names = f"{len(few)} tasks" if len(few) > 3 else ", ".join(sorted(few))  # noqa: PLR2004  what fits a line
        lines.append(f"Left out (fewer than {FEWEST} answers): {names}")
    return lines
