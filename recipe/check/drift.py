"""The numbers of a mix against those of a baseline."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from recipe.check._tolerances import Tolerance, check_patterns, find, load_tolerances

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Word = Literal["same", "moved", "new", "not measured", "ignored"]

SHARES = ("task", "answer", "source", "concept", "task_answer")  # families in which a name that is missing has share 0
DIGITS = 6


@dataclass(frozen=True)
class Verdict:
    """One metric beside its baseline.

    Parameters
    ----------
    metric
        Its flat name.
    baseline, got
        Its values; None where there is none.
    tolerance
        Its comparator in words.
    verdict
        ``"same"`` within the tolerance, ``"moved"`` beyond it; ``"new"`` without a baseline, ``"not measured"`` without
        a value, ``"ignored"`` by its tolerance.
    excess
        By how many tolerances it lies off if it moved, so above 1, and infinite if there is no room at all; else 0.
    """

    metric: str
    baseline: float | None
    got: float | None
    tolerance: str
    verdict: Word
    excess: float = 0.0

    def __str__(self) -> str:
        return f"{self.metric}: baseline {number(self.baseline)}, got {number(self.got)}, {self.tolerance}"


@dataclass(frozen=True)
class Drift:
    """All metrics of a mix beside their baseline.

    Parameters
    ----------
    verdicts
        One a metric; those that moved first, the farthest first, then by name.
    """

    verdicts: tuple[Verdict, ...]

    @property
    def moved(self) -> tuple[Verdict, ...]:
        """Those beyond their tolerance, the farthest first."""
        return self.those("moved")

    def those(self, verdict: Word) -> tuple[Verdict, ...]:
        """Return those of one verdict."""
        return tuple(each for each in self.verdicts if each.verdict == verdict)

    def failed(self, *, strict: bool = False) -> tuple[Verdict, ...]:
        """Return those that fail a check: what moved, and when strict what could not be measured."""
        return self.moved + (self.those("not measured") if strict else ())

    @property
    def summary(self) -> str:
        """Say in one line how many there are of each verdict."""
        words: tuple[Word, ...] = ("moved", "new", "not measured", "ignored")
        counts = [f"{len(self.those(word)):,} {word}" for word in words if word == "moved" or self.those(word)]
        return f"{len(self.verdicts):,} metrics: {', '.join(counts)}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: counts by verdict, and every verdict; an infinite excess is None."""
        counts: dict[str, int] = {}
        for each in self.verdicts:
            counts[each.verdict] = counts.get(each.verdict, 0) + 1
        listed = [asdict(each) | {"excess": _finite(each.excess)} for each in self.verdicts]
        return {"counts": counts, "metrics": listed}

    def __str__(self) -> str:
        return "\n".join([*(f"  {each}" for each in self.failed(strict=True)), self.summary])


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


def _finite(value: float) -> float | None:
    """Return a number that JSON knows."""
    return round(value, DIGITS) if math.isfinite(value) else None


def number(value: float | None) -> str:
    """Write a value for people: whole numbers in full, others with six significant digits; none as a dash."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.6g}"
