"""Small learners that are trained on a mix and evaluated on held-out samples; each file has one function `proxy`."""

from __future__ import annotations

from recipe.compare.proxy._held_out import draw_held_out
from recipe.compare.proxy._prepared import Prepared

__all__ = ["Prepared", "draw_held_out"]
