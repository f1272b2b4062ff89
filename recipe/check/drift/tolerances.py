"""How far a metric may be from its baseline: one comparator for the metrics that a pattern matches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from recipe.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

BASELINE = "baseline"  # a bound that is the baseline's value
ROUNDING = 1e-9  # of the compared numbers: 0.52 - 0.50 is a little more than 0.02 in binary


@dataclass(frozen=True)
class Room:
    """By how much a bound may be missed.

    Parameters
    ----------
    absolute
        In the unit of the metric, from 0.
    relative
        As a share of the number, from 0; the wider of the two applies.
    """

    absolute: float = 0.0
    relative: float = 0.0

    def around(self, number: float) -> float:
        """Return the slack around a number, including that for rounding errors."""
        return max(self.absolute, self.relative * abs(number)) + ROUNDING * max(1.0, abs(number))

    def __str__(self) -> str:
        parts = [f"{100 * self.relative:g}%"] * (self.relative > 0) + [f"{self.absolute:g}"] * (self.absolute > 0)
        return " or ".join(parts) or "0"


@dataclass(frozen=True)
class Tolerance:
    """The comparator of the metrics that a pattern matches.

    Parameters
    ----------
    pattern
        A metric, or a glob as ``task/*``.
    low, high
        Bounds: a number, ``"baseline"``, or None for no bound.
    room
        By how much a bound may be missed.
    ignored
        Whether any number passes.
    """

    pattern: str
    low: float | str | None = None
    high: float | str | None = None
    room: Room = Room()
    ignored: bool = False

    def matches(self, metric: str) -> bool:
        """Return whether the pattern matches a metric, by name or as a glob."""
        return metric == self.pattern or fnmatchcase(metric, self.pattern)

    def bounds(self, baseline: float) -> tuple[float, float]:
        """Return the least and the greatest value that pass, given the baseline's."""
        low, high = (baseline if bound == BASELINE else bound for bound in (self.low, self.high))
        least = -math.inf if low is None or self.ignored else float(low) - self.room.around(float(low))
        most = math.inf if high is None or self.ignored else float(high) + self.room.around(float(high))
        return least, most

    @property
    def needs_baseline(self) -> bool:
        """Whether a bound is the baseline's value."""
        return BASELINE in {self.low, self.high}

    def __str__(self) -> str:
        if self.ignored:
            return "ignore"
        slack = "" if self.room == Room() else f", slack {self.room}"
        if self.low == self.high == BASELINE:
            return f"within {self.room}" if slack else "exact"
        if self.low == self.high:
            return f"exact {_number(self.low)}{slack}"
        ends = {"min": self.low, "max": self.high}
        return ", ".join(f"{name} {_number(end)}" for name, end in ends.items() if end is not None) + slack


def _number(bound: float | str | None) -> str:
    """Write a bound as in a tolerance file."""
    return bound if isinstance(bound, str) else f"{bound:.12g}"


def find(metric: str, tolerances: Iterable[Tolerance]) -> Tolerance:
    """Return the last tolerance that matches a metric; by default it must not change."""
    matching = [tolerance for tolerance in tolerances if tolerance.matches(metric)]
    return matching[-1] if matching else Tolerance("*", BASELINE, BASELINE)


def check_patterns(tolerances: Iterable[Tolerance], metrics: Iterable[str]) -> None:
    """Raise if a pattern matches no metric: a line with a typo would check nothing.

    Parameters
    ----------
    tolerances
        Those of the user.
    metrics
        All metrics of the baseline and of the mix.

    Raises
    ------
    ConfigError
        With the nearest metric.
    """
    names = sorted(metrics)
    families = {f"{name.split('/')[0]}/*" if "/" in name else name for name in names}
    for tolerance in tolerances:
        if not any(map(tolerance.matches, names)):
            hint = nearest(tolerance.pattern, {*names, *families})
            hint = hint if hint.startswith("did") else nearest(tolerance.pattern, families)
            raise ConfigError(f"tolerances: '{tolerance.pattern}' matches no metric; {hint}")
