"""What can be imported: directives for every public name of a module, so that a page lists none by hand."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def made(name: str) -> str:
    """Write directives for the public names of a module, in its own order."""
    module = import_module(name)
    lines: list[str] = []
    for one in public(module):
        lines += [one, "-" * len(one), "", *_directive(f"{name}.{one}", getattr(module, one))]
    return "\n".join(lines)


def public(module: ModuleType) -> list[str]:
    """Return the names of `__all__`; else the classes and functions that are at home in the module."""
    listed: list[str] | None = getattr(module, "__all__", None)
    if listed is not None:
        return listed
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]


def _directive(path: str, value: object) -> Iterator[str]:
    """Write the directive of a function or a class."""
    if not inspect.isclass(value):
        yield from (f".. autofunction:: {path}", "")
        return
    yield from (f".. autoclass:: {path}", "   :members:")
    if issubclass(value, BaseModel):  # its fields are knobs, and stand in the reference of these
        yield f"   :exclude-members: {', '.join([*value.model_fields, 'model_config'])}"
    elif getattr(value, "_is_protocol", False):
        yield "   :special-members: __call__"
    elif not issubclass(value, BaseException):
        yield "   :inherited-members:"
    yield ""
