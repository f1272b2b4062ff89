"""A step of a recipe: a shipped function, or one of your own, and its knobs."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from recipe.config.code import name_of
from recipe.config.knobs import check_value
from recipe.config.ranges import Name


class Step(NamedTuple):
    """A name in the registry, ``module:function``, a callable or an embedder, and its knobs."""

    name: Any
    knobs: dict[str, Any]
    called: str | None = None

    @property
    def label(self) -> str:
        """Its name: the one that the recipe gives it, else that of the file or of the function."""
        if self.called is not None:
            return self.called
        own = name_of(self.name)
        return str(self.name) if own is None else own.rpartition(":")[2].rpartition(".")[2]


def _step(given: object) -> Step:
    """Parse ``name``, ``module:function``, ``{name: {knob: value}}``, a callable, or a Step.

    The knob `called` gives it a name.
    """
    if isinstance(given, Step):
        return given
    if isinstance(given, str) or callable(given) or hasattr(given, "encode"):
        return Step(given, {})
    if isinstance(given, dict) and len(given) == 1:
        ((name, knobs),) = given.items()
        if isinstance(name, str) and (knobs is None or isinstance(knobs, dict)):
            rest = dict(knobs or {})
            called = rest.pop("called", None)
            if called is not None:
                check_value(f"{name}.called", Name, called)
            return Step(name, rest, called)
    raise ValueError("expected a name, module:function, or {name: {knob: value}}")


def _plain(step: Step) -> str | dict[str, Any]:
    """Return a step as it is written in a recipe file."""
    name = name_of(step.name) or str(step.name)
    knobs = step.knobs if step.called is None else {**step.knobs, "called": step.called}
    return {name: knobs} if knobs else name


Room = Annotated[
    Step,
    BeforeValidator(_step),
    PlainSerializer(_plain),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "maxProperties": 1}]}),
]


def room_default(given: object) -> Any:
    """Make a field's default from a value as in a recipe file."""
    return Field(default=given)
