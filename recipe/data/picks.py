"""The result of a selector: the picked rows in pick order, and their gains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Picks:
    """The picked rows in pick order.

    Parameters
    ----------
    rows
        (k,) int64 rows of the pool, unique, first pick first.
    gains
        Term to (k,) float64: what each pick added to each term of the objective when it was picked.
    value
        The value of the objective that was reached, if the selector has one.
    bound
        An upper bound of the objective of any selection under the same quotas; None if the selector gives none.
    """

    rows: NDArray[np.int64]
    gains: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    value: float | None = None
    bound: float | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def head(self, count: int) -> Picks:
        """Return the first picks; their objective and bound are no longer known."""
        if count >= len(self):
            return self
        return Picks(self.rows[:count], {term: gain[:count] for term, gain in self.gains.items()})

    @property
    def certificate(self) -> float | None:
        """Lower bound of the share of the best possible objective that was reached; None without a bound."""
        if self.value is None or self.bound is None:
            return None
        return min(1.0, self.value / self.bound) if self.bound > 0 else 1.0
