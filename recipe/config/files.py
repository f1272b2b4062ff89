"""Recipes as files: the shipped ones, how one is read, and errors in one line."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from recipe.config.knobs import CODES, explained, shown
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
    place = ".".join(str(part) for part in first["loc"])[:120]
    if first["type"] == "extra_forbidden":
        return _unknown(first["loc"], model)
    if first["type"] in ("value_error", "missing") or (annotation := annotation_at(first["loc"], model)) is None:
        message = first["msg"].removeprefix("Value error, ")
        return f"{place}: {message[:1].lower()}{message[1:]}, got {place.rsplit('.', 1)[-1]}={shown(first['input'])}"
    keys = _keys(first["loc"], model)
    if first["loc"][-1] == "[key]" and first["type"] not in CODES:
        return f"{'.'.join(keys[:-1])}: expected a name as a key, got {shown(first['input'])}"
    return explained(".".join(keys)[:120], annotation, error, keys[-1])


def _unknown(loc: tuple[str | int, ...], model: type[BaseModel]) -> str:
    """Say which key was meant: one of another section, or of those that are valid in that place."""
    place, last = ".".join(str(part) for part in loc)[:120], str(loc[-1])
    section = _model_in(annotation_at(loc[:-1], model)) or model
    elsewhere = {path.rsplit(".", 1)[-1]: path for path in reversed(list(_paths(model)))}
    if last in elsewhere:
        return f"unknown key '{place}', did you mean '{elsewhere[last]}'?"
    if last == "vectors":
        return f"unknown key '{place}'; give vectors by pool.with_vectors, or a file of them by embed: {{cached: ...}}"
    prefix = ".".join(str(part) for part in loc[:-1])
    known = {f"{prefix}.{name}" if prefix else name: name for name in section.model_fields}
    hint = nearest(last, known.values())
    for path, name in known.items():
        hint = hint.replace(f"'{name}'", f"'{path}'")
    near = get_close_matches(last, elsewhere, n=1, cutoff=0.6)
    if hint.startswith("known") and near:
        hint = f"did you mean '{elsewhere[near[0]]}'?"
    return f"unknown key '{place}', {hint}"


def _keys(loc: tuple[str | int, ...], model: type[BaseModel]) -> list[str]:
    """Return the keys of a place as far as they lead to a field, without the names that pydantic gives to kinds."""
    last = max((i for i in range(1, len(loc) + 1) if annotation_at(loc[:i], model) is not None), default=0)
    return [str(part) for part in loc[:last]]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the section that an annotation is, or is an option of."""
    kinds = [one for one in (annotation, *get_args(annotation)) if isinstance(one, type)]
    return next((one for one in kinds if issubclass(one, BaseModel)), None)


def annotation_at(loc: tuple[str | int, ...], model: type[BaseModel]) -> Any:
    """Return the type of the field in a place of a recipe; the innermost that is known; None where none is."""
    found: Any = model
    for part in loc:
        inner = get_args(found)[0] if get_origin(found) is Annotated else found
        section = _model_in(inner)
        if section and part in section.model_fields:
            field = section.model_fields[str(part)]
            found = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        elif get_origin(inner) is dict and isinstance(part, str):
            found = get_args(inner)[1]
        elif get_origin(inner) is tuple and isinstance(part, int):
            found = get_args(inner)[0]
        else:
            return found if found is not model else None
    return found
