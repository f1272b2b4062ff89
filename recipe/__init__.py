"""Which samples do I train on? Balanced, diverse LLaVA-v1.5 mixes from pools of visual-instruction samples."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipe.check import check_mix
    from recipe.compare import compare_mixes
    from recipe.config import Recipe
    from recipe.demo import demo_pool
    from recipe.mix import score_pool, select_mix
    from recipe.outcome import Mix
    from recipe.pool import Pool
    from recipe.read import read_pool
    from recipe.rebuild import rebuild_mix
    from recipe.reopen import open_mix

__all__ = [
    "Mix",
    "Pool",
    "Recipe",
    "check_mix",
    "compare_mixes",
    "demo_pool",
    "open_mix",
    "read_pool",
    "rebuild_mix",
    "score_pool",
    "select_mix",
]

_HOMES = {
    "Mix": "outcome",
    "Pool": "pool",
    "Recipe": "config",
    "check_mix": "check",
    "compare_mixes": "compare",
    "demo_pool": "demo",
    "open_mix": "reopen",
    "read_pool": "read",
    "rebuild_mix": "rebuild",
    "score_pool": "mix",
    "select_mix": "mix",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import recipe` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'recipe' has no attribute '{name}'")
    return getattr(import_module(f"recipe.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
