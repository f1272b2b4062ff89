"""The metrics of a mix against those of a baseline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from recipe.check.drift.tolerance_files import load_tolerances
from recipe.check.drift.tolerances import Tolerance, check_patterns, find
from recipe.check.drift.verdicts import Drift, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from recipe.check.drift.verdicts import Word

SHARES = ("task", "answer", "source", "concept", "task_answer")  # families in which a missing name has share 0


def check_drift(
    baseline: Mapping[str, float],
    got: Mapping[str, float],
    tolerances: Mapping[str, Any] | str | Path | None = None,
) -> Drift:
    """Compare the metrics of a mix with those of a baseline.

    In a family of shares (task, answer, source, concept, task_answer), a name that only one side has counts as share 0
    on the other: a task that disappeared has moved, and so has a new one. A side without the whole family did not
    measure it.

    Parameters
    ----------
    baseline, got
        Metric -> value, as `Stats.metrics` returns them.
    tolerances
        Pattern -> comparator, or a YAML file of that, see `load_tolerances`. They come after the shipped ones, and the
        last one that matches a metric applies.

    Returns
    -------
    Drift
        A verdict for each metric.

    Raises
    ------
    InputError
        If the tolerances cannot be read.
    ConfigError
        If one is not valid, or a pattern matches no metric.

    Examples
    --------
    >>> drift = check_drift({"samples": 10, "yes": 0.5}, {"samples": 10, "yes": 0.55})
    >>> [str(each) for each in drift.moved]
    ['yes: baseline 0.5, got 0.55, within 0.02']
    """
    shipped, given = load_tolerances(tolerances)
    names = sorted({*baseline, *got})
    check_patterns(given, names)
    old, new = (_with_zeros(side, names) for side in (baseline, got))
    verdicts = [_judge(name, old.get(name), new.get(name), find(name, [*shipped, *given])) for name in names]
    return Drift(tuple(sorted(verdicts, key=lambda each: (each.verdict != "moved", -each.excess, each.metric))))


def _with_zeros(side: Mapping[str, float], names: list[str]) -> dict[str, float]:
    """Add share 0 for every name that a side lacks in a family that it measured."""
    known = {name.partition("/")[0] for name in side if "/" in name} & set(SHARES)
    return {name: 0.0 for name in names if "/" in name and name.partition("/")[0] in known} | dict(side)


def _judge(metric: str, baseline: float | None, got: float | None, tolerance: Tolerance) -> Verdict:
    """Compare one metric with its tolerance."""
    word: Word
    excess = 0.0
    if tolerance.ignored:
        word = "ignored"
    elif got is None:
        word = "not measured"
    elif baseline is None and tolerance.needs_baseline:
        word = "new"
    else:
        excess = _excess(tolerance, math.nan if baseline is None else baseline, got)
        word = "moved" if excess else "same"
    return Verdict(metric, baseline, got, str(tolerance), word, excess)


def _excess(tolerance: Tolerance, baseline: float, got: float) -> float:
    """Return by how many tolerances a number is off if it is out of bounds, else 0; NaN is out of bounds."""
    if not math.isfinite(got) or (tolerance.needs_baseline and not math.isfinite(baseline)):
        return math.inf
    low, high = tolerance.bounds(baseline)
    if low <= got <= high:
        return 0.0
    bound = tolerance.low if got < low else tolerance.high
    aim = bound if isinstance(bound, float) else baseline
    size = max(tolerance.room.absolute, tolerance.room.relative * abs(aim))
    return abs(got - aim) / size if size else math.inf
