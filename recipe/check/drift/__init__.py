"""The numbers of a mix against those of a baseline."""

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

SHARES = ("task", "answer", "source", "concept", "task_answer")  # families in which a name that is missing has share 0


def check_drift(
    baseline: Mapping[str, float],
    got: Mapping[str, float],
    tolerances: Mapping[str, Any] | str | Path | None = None,
) -> Drift:
    """Compare the numbers of a mix with those of a baseline.

    A name that one side lacks in a family of shares (task, answer, source, concept, task_answer) has share 0 there: a
    task that vanished has moved, and so has one that appeared. A side that lacks a whole family did not measure it.

    Parameters
    ----------
    baseline, got
        Metric -> value, as `Stats.metrics` returns them.
    tolerances
        Pattern -> comparator, or a YAML file of that, see `load_tolerances`; they come after the shipped ones, and of
        all that match a metric the last counts.

    Returns
    -------
    Drift
        A verdict for each metric.

    Raises
    ------
    InputError
        If the tolerances cannot be read.
    ConfigError
        If they cannot be understood, or a pattern matches no metric.

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
    """Add share 0 of every name that a side lacks in a family that it knows."""
    known = {name.partition("/")[0] for name in side if "/" in name} & set(SHARES)
    return {name: 0.0 for name in names if "/" in name and name.partition("/")[0] in known} | dict(side)


def _judge(metric: str, baseline: float | None, got: float | None, tolerance: Tolerance) -> Verdict:
    """Judge one metric."""
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
    """Return by how many tolerances a number lies off if it is out of bounds, else 0; what is no number is out."""
    if not math.isfinite(got) or (tolerance.needs_baseline and not math.isfinite(baseline)):
        return math.inf
    low, high = tolerance.bounds(baseline)
    if low <= got <= high:
        return 0.0
    bound = tolerance.low if got < low else tolerance.high
    aim = bound if isinstance(bound, float) else baseline
    size = max(tolerance.room.absolute, tolerance.room.relative * abs(aim))
    return abs(got - aim) / size if size else math.inf
