"""The errors and warnings that `recipe` raises on purpose, read from `recipe.errors`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from recipe import errors

if TYPE_CHECKING:
    from collections.abc import Iterator


def made() -> str:
    """Write the two trees."""
    return "\n".join([*_tree(errors.RecipeError), *_tree(errors.RecipeWarning), ""])


def _tree(kind: type, depth: int = 0) -> Iterator[str]:
    """Write a class and, indented, those that are made of it."""
    first = (inspect.getdoc(kind) or "").splitlines()[0]
    yield f"{'  ' * depth}- `{kind.__name__}`: {first[0].lower()}{first[1:]}"
    for inner in kind.__subclasses__():
        if inner.__module__ == errors.__name__:
            yield from _tree(inner, depth + 1)
