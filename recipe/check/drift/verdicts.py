"""Verdicts: how each metric of a mix compares with its baseline."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

Word = Literal["same", "moved", "new", "not measured", "ignored"]

DIGITS = 6


@dataclass(frozen=True)
class Verdict:
    """One metric compared with its baseline.

    Parameters
    ----------
    metric
        Its name.
    baseline, got
        Its values; None where there is none.
    tolerance
        Its comparator in words.
    verdict
        ``"same"`` within the tolerance, ``"moved"`` beyond it; ``"new"`` without a baseline, ``"not measured"`` without
        a value, ``"ignored"`` by its tolerance.
    excess
        By how many tolerances it is off if it moved, so above 1, and infinite if the tolerance is zero; else 0.
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
    """All metrics of a mix compared with their baseline.

    Parameters
    ----------
    verdicts
        One for each metric; first those that moved, the farthest first, then by name.
    """

    verdicts: tuple[Verdict, ...]

    @property
    def moved(self) -> tuple[Verdict, ...]:
        """The verdicts beyond their tolerance, the farthest first."""
        return self.those("moved")

    def those(self, verdict: Word) -> tuple[Verdict, ...]:
        """Return the metrics with one verdict."""
        return tuple(each for each in self.verdicts if each.verdict == verdict)

    def failed(self, *, strict: bool = False) -> tuple[Verdict, ...]:
        """Return the metrics that fail a check: those that moved, and if strict also those not measured."""
        return self.moved + (self.those("not measured") if strict else ())

    @property
    def summary(self) -> str:
        """One line that counts the verdicts."""
        words: tuple[Word, ...] = ("moved", "new", "not measured", "ignored")
        counts = [f"{len(self.those(word)):,} {word}" for word in words if word == "moved" or self.those(word)]
        return f"{len(self.verdicts):,} metrics: {', '.join(counts)}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: counts by verdict, and every verdict; a value that is not finite is None."""
        counts: dict[str, int] = {}
        for each in self.verdicts:
            counts[each.verdict] = counts.get(each.verdict, 0) + 1
        values = ("baseline", "got", "excess")
        listed = [asdict(each) | {name: _finite(getattr(each, name)) for name in values} for each in self.verdicts]
        return {"counts": counts, "metrics": listed}

    def __str__(self) -> str:
        return "\n".join([*(f"  {each}" for each in self.failed(strict=True)), self.summary])


def _finite(value: float | None) -> float | None:
    """Return a number that JSON can hold, or None."""
    return None if value is None or not math.isfinite(value) else round(value, DIGITS)


def number(value: float | None) -> str:
    """Format a value: whole numbers in full, others with six significant digits, None as a dash."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.6g}"
