"""The knobs of a recipe file, read from its pydantic models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from made._knob import Knob, kind, plain, range_of
from recipe import Recipe
from recipe.config.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo


def knobs(model: type[BaseModel] = Recipe, prefix: str = "") -> Iterator[Knob]:
    """Yield every knob below a model, with its path from the top of the file."""
    for name, field in model.model_fields.items():
        path, inner = prefix + name, _model(field.annotation)
        if inner is field.annotation and inner is not None:
            yield from knobs(inner, f"{path}.")
            continue
        yield _knob(path, field)
        if inner is not None and type(None) not in get_args(field.annotation):  # else a section that stands elsewhere
            yield from knobs(inner, f"{path}.NAME." if get_origin(field.annotation) is dict else f"{path}.")


def open_rooms() -> set[str]:
    """Return the rooms whose functions a recipe always names, and gives their knobs to."""
    found = set()
    for name, field in Recipe.model_fields.items():
        inner = _model(field.annotation)
        fields = inner.model_fields.values() if inner is not None and inner is field.annotation else [field]
        if any(_holds(one.annotation, Step) and one.default is not None for one in fields):
            found.add(name)
    return found


def _knob(path: str, field: FieldInfo) -> Knob:
    """Read one field."""
    default = None if field.is_required() else plain(field.default)
    limits = range_of(Annotated[field.annotation, *field.metadata]) if field.metadata else range_of(field.annotation)
    return Knob(path, kind(field.annotation), default, field.description or "", limits)


def _holds(annotation: Any, what: type) -> bool:
    """Tell whether a type is part of an annotation."""
    return annotation is what or any(_holds(inner, what) for inner in get_args(annotation))


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation is or holds, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model(inner))), None)
