"""Samples to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from recipe.outcome import Mix


class Shown: ...


def draw_samples(mix: Mix, n: int, **where: Any) -> pl.DataFrame: ...


def show_sample(mix: Mix, key: str, *, images: Any) -> Shown: ...
