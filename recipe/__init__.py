"""Which samples do I train on? Balanced, diverse LLaVA-v1.5 mixes from pools of visual-instruction samples."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipe.check import check_mix
    from recipe.compare import compare_mixes
    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.demo import demo_pool
    from recipe.mix.flow import score_pool, select_mix
    from recipe.mix.mix import Mix
    from recipe.mix.open import open_mix
    from recipe.mix.rebuild import rebuild_mix
    from recipe.stages.read import read_pool

    __version__: str

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
    "Mix": "mix.mix",
    "Pool": "data.pool",
    "Recipe": "config.recipe",
    "check_mix": "check",
    "compare_mixes": "compare",
    "demo_pool": "demo",
    "open_mix": "mix.open",
    "read_pool": "stages.read",
    "rebuild_mix": "mix.rebuild",
    "score_pool": "mix.flow",
    "select_mix": "mix.flow",
    "__version__": "io.versions",
}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use: `import recipe` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'recipe' has no attribute '{name}'")
    return getattr(import_module(f"recipe.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
