"""Small learners that are trained on a mix and judged on samples held out. Each file: ready, picks, held -> figures."""

from __future__ import annotations

from recipe.proxy._held import draw_held
from recipe.proxy._prepared import Prepared

__all__ = ["Prepared", "draw_held"]
