"""Recipes as files: the shipped ones, how one is read, and errors in one line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from recipe.errors import ConfigError, InputError, nearest
from recipe.io.yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError

PRESETS = Path(__file__).parent / "presets"


def presets() -> dict[str, str]:
    """List the shipped recipes: name to its description, the first line of its comment."""
    return {file.stem: file.read_text("utf-8").splitlines()[0].lstrip("# ") for file in sorted(PRESETS.glob("*.yaml"))}


def load_recipe(path: str | Path) -> dict[str, Any]:
    """Read a recipe file, or the preset of that name.

    Parameters
    ----------
    path
        A YAML file, or a name that `presets` lists.

    Returns
    -------
    dict
        Its keys, not yet checked.

    Raises
    ------
    InputError
        If the file cannot be read.
    ConfigError
        If there is no such preset, or the file holds no keys.
    """
    file = Path(path)
    if not file.suffix and str(path) in presets():
        file = PRESETS / f"{path}.yaml"
    if not file.suffix:
        raise ConfigError(f"no preset '{path}', {nearest(str(path), presets())}; a recipe file ends in .yaml")
    if not os.path.exists(file):  # noqa: PTH110  Path.exists raises where a name is too long
        raise InputError(f"{file!s:.200}: no such recipe file")
    loaded = read_yaml(file, "the recipe")
    if not isinstance(loaded, dict):
        raise ConfigError(f"{file}: expected keys such as size and sources, got {type(loaded).__name__}")
    return loaded


def _paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the path of every key of a recipe."""
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, f"{prefix}{name}.")


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Describe in one line what is wrong with the first invalid key.

    Parameters
    ----------
    error
        The error of pydantic.
    model
        The model whose keys are valid.

    Returns
    -------
    str
        The path of the key, what was expected, and what was given.
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        last = str(first["loc"][-1])
        known = {path.rsplit(".", 1)[-1]: path for path in reversed(list(_paths(model)))}
        if last in known:
            return f"unknown key '{place}', did you mean '{known[last]}'?"
        hint = nearest(last, known)
        for name, path in known.items():
            hint = hint.replace(f"'{name}'", f"'{path}'")
        return f"unknown key '{place}', {hint}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message[0].lower()}{message[1:]}, got {place.rsplit('.', 1)[-1]}={first['input']!r}"
