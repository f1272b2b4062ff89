"""A knob is checked by the annotation of its function: its type and its range, in one line if it does not fit."""

from __future__ import annotations

import collections.abc
import inspect
import sys
import typing
from functools import lru_cache
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from recipe.config import ranges
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = {"Ge": ("ge", "from {}"), "Gt": ("gt", "above {}"), "Le": ("le", "up to {}"), "Lt": ("lt", "below {}")}
KINDS = {
    int: "an integer",
    float: "a finite number",
    bool: "true or false",
    str: "text",
    NoneType: "null",
    Path: "a path",
}
CODES = ("too_long", "no_name", "no_path", "no_size")  # what recipe.config.ranges says itself
_SHOWN = 60
_ANY = {**vars(collections.abc), **vars(typing), **vars(ranges), "Path": Path}


def check_value(path: str, annotation: Any, value: object) -> None:
    """Raise if a value does not fit an annotation.

    Parameters
    ----------
    path
        The path of the knob in a recipe.
    annotation
        A type, as `annotation_of` returns it. One that pydantic does not understand fits every value.
    value
        As a recipe gives it.

    Raises
    ------
    ConfigError
        With what was expected and what was given.

    Examples
    --------
    >>> check_value("embed.hashing.d", ranges.From1, 3)
    >>> check_value("embed.hashing.d", ranges.From1, "abc")
    Traceback (most recent call last):
    recipe.errors.ConfigError: embed.hashing.d: expected an integer from 1, got d='abc'
    """
    adapter = _adapter(annotation)
    if adapter is None:
        return
    plain = value.item() if isinstance(value, np.generic) else value
    scalar = not isinstance(value, list | tuple | collections.abc.Mapping)
    try:
        adapter.validate_python(plain, strict=True if scalar else None)
    except ValidationError as error:
        raise ConfigError(explained(path, annotation, error)) from None
    except RecursionError:
        raise ConfigError(f"{path}: expected {described(annotation)}, got values that contain themselves") from None


def explained(path: str, annotation: Any, error: ValidationError, name: str | None = None) -> str:
    """Return what is wrong with a value, in one line; `name` is what the value is called, by default the last key."""
    first = next((one for one in error.errors() if one["type"] in CODES), error.errors()[0])
    inner = [str(part) for part in first["loc"] if isinstance(part, str) and part.isidentifier()]
    inner = [part for part in inner if part not in _KIND_NAMES] if len(error.errors()) == 1 and name is None else []
    expected = first["msg"].removeprefix("expected ") if first["type"] in CODES else described(annotation)
    called = name or (inner[0] if inner else path.rpartition(".")[2])
    return f"{path}: expected {expected}, got {called:.60}={shown(first['input'])}"


_KIND_NAMES = {"int", "float", "bool", "str", "none", "list", "dict", "is"}


def annotation_of(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Return the type of a parameter; `Any` where it has none, or it cannot be resolved.

    Examples
    --------
    >>> annotation_of(check_value, inspect.signature(check_value).parameters["path"])
    <class 'str'>
    """
    given = parameter.annotation
    if given is parameter.empty:
        return Any
    if not isinstance(given, str):
        return given
    module = sys.modules.get(getattr(inspect.unwrap(function), "__module__", ""))
    holder = SimpleNamespace(__annotations__={"knob": given})
    try:
        return typing.get_type_hints(holder, {**_ANY, **vars(module or typing)}, include_extras=True)["knob"]
    except Exception:  # noqa: BLE001  an annotation of others may raise anything
        return Any


def described(annotation: Any) -> str:  # noqa: PLR0911  one for each kind of type
    """Say in words what fits an annotation.

    Examples
    --------
    >>> described(ranges.Similarity), described(ranges.From1 | None)
    ('a finite number above 0 and up to 1', 'an integer from 1 or null')
    >>> described(Literal["key", "id"]), described(collections.abc.Mapping[str, ranges.Weight])
    ("'key' or 'id'", 'a mapping of text to a finite number from 0')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return " ".join(one for one in (described(inner[0]), limits(inner[1:])) if one)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(described(one) for one in inner))
    if origin is Literal:
        return " or ".join(f"{value!r}" for value in inner)
    if isinstance(origin, type) and issubclass(origin, collections.abc.Mapping):
        return f"a mapping of {described(inner[0])} to {described(inner[1])}"
    if isinstance(origin, type) and issubclass(origin, collections.abc.Iterable) and inner:
        return f"a list of {described(inner[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a mapping with keys such as {', '.join(list(annotation.model_fields)[:3])}"
    if getattr(annotation, "__name__", "") == "Step":
        return "name or {name: {knob: value}}"
    return KINDS.get(annotation) or str(getattr(annotation, "__name__", annotation))


def limits(metadata: tuple[Any, ...]) -> str:
    """Say the range of a number: ``"above 0 and up to 1"``; nothing if it has none."""
    flat = [one for given in metadata for one in (given.metadata if isinstance(given, FieldInfo) else [given])]
    said = [(type(one).__name__, one) for one in flat if isinstance(one, annotated_types.BaseMetadata)]
    words = [LIMITS[kind][1].format(getattr(one, LIMITS[kind][0])) for kind, one in said if kind in LIMITS]
    return " and ".join(words)


def shown(value: object) -> str:
    """Return a value as Python writes it, shortened; its kind where it cannot be written.

    Examples
    --------
    >>> shown("a"), shown("a" * 100)[-8:], shown(10**5000)
    ("'a'", 'aaaaa...', 'an integer of 16610 bits')
    """
    if isinstance(value, int) and value.bit_length() > 1000:  # noqa: PLR2004  Python refuses to write the longest
        return f"an integer of {value.bit_length()} bits"
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except Exception:  # noqa: BLE001  the object of a user may raise anything
        return f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _adapter(annotation: Any) -> TypeAdapter[Any] | None:
    """Return what checks a type; None for one that pydantic does not understand."""
    try:
        return _known_adapter(annotation)
    except TypeError:  # it cannot be hashed
        return None


@lru_cache(maxsize=512)
def _known_adapter(annotation: Any) -> TypeAdapter[Any] | None:
    """Make what checks a type, once."""
    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False))
    except Exception:  # noqa: BLE001  pydantic raises many kinds of errors for a type of others
        return None
