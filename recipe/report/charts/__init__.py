"""Charts of a mix: each is a function that takes a mix and returns an altair chart, which needs no network."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from recipe.errors import ConfigError, nearest
from recipe.report.charts.concepts import draw_concepts
from recipe.report.charts.gains import draw_gains
from recipe.report.charts.lengths import draw_lengths
from recipe.report.charts.occupancy import draw_clusters
from recipe.report.charts.shares import draw_answers, draw_tasks
from recipe.report.charts.space import draw_map
from recipe.report.charts.yes_no import draw_yes_no

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipe.data.selection import Selection
    from recipe.report.charts._theme import Picture

__all__ = ["CHARTS", "draw"]

CHARTS: dict[str, Callable[..., Picture]] = {
    "tasks": draw_tasks,
    "answers": draw_answers,
    "clusters": draw_clusters,
    "yes_no": draw_yes_no,
    "lengths": draw_lengths,
    "gains": draw_gains,
    "concepts": draw_concepts,
    "map": draw_map,
}


def draw(mix: Selection, name: str, **knobs: Any) -> Picture:
    """Draw one of the charts.

    Parameters
    ----------
    mix
        Made by `select_mix`, or opened by `open_mix`.
    name
        One of `CHARTS`.
    **knobs
        Keyword arguments of the chart.

    Returns
    -------
    Picture
        An altair chart; `.properties(width="container")` lets it fill a page.

    Raises
    ------
    ConfigError
        If there is no such chart or knob, or the mix lacks what the chart shows.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=4), size=20)
    >>> draw(mix, "tasks").title.text
    'Samples by task'
    """
    if not isinstance(name, str) or name not in CHARTS:
        raise ConfigError(
            f"expected the name of a chart, got {' '.join(repr(name).split()):.80}, {nearest(str(name), CHARTS)}"
        )
    parameters = inspect.signature(CHARTS[name]).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    for knob in knobs:
        if knob not in known:
            raise ConfigError(
                f"chart {name}: unknown knob '{knob}', {nearest(knob, known) if known else 'it has none'}"
            )
    return CHARTS[name](mix, **knobs)
