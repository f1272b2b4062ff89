"""Checks of a mix: its file against the demands of trainers, and its statistics against a baseline."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipe.check.trainer.check import check_mix
    from recipe.check.trainer.findings import Finding
    from recipe.check.trainer.fix import Fixed, fix_mix

__all__ = ["Finding", "Fixed", "check_mix", "fix_mix"]

_HOMES = {"Finding": "findings", "check_mix": "check", "Fixed": "fix", "fix_mix": "fix"}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use, since pytest loads a file of this folder into every run."""
    if name not in _HOMES:
        raise AttributeError(f"module 'recipe.check' has no attribute '{name}'")
    return getattr(import_module(f"recipe.check.trainer.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
