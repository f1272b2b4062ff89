"""Small learners that are trained on a mix and judged on samples held out. Each file: ready, picks, held -> figures."""

from __future__ import annotations

from recipe.compare.proxy._held import draw_held
from recipe.compare.proxy._prepared import Prepared

__all__ = ["Prepared", "draw_held"]
