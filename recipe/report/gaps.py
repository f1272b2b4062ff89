"""What the pool could not supply."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipe.outcome import Mix


class Gaps: ...


def find_gaps(mix: Mix) -> Gaps: ...
