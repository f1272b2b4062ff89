"""Former names: they are accepted, with a warning that gives the current name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recipe.errors import FormerName

if TYPE_CHECKING:
    from recipe.config.step import Step

SCORES = {"coverage": "concept_coverage"}  # renamed after 0.1.0
NAMING = ("quality", "by", "weights")  # knobs of selectors and blends that name scores


def with_current_name(step: Step) -> Step:
    """Return a score under its current name."""
    if isinstance(step.name, str) and step.name in SCORES:
        return step._replace(name=_renamed(step.name))
    return step._replace(knobs=_knobs(step.knobs)) if step.name == "blend" else step


def with_current_scores(step: Step, called: set[str]) -> Step:
    """Return a selector with the current names of scores, unless the recipe itself calls a score by a former one."""
    return step if called & SCORES.keys() else step._replace(knobs=_knobs(step.knobs))


def _knobs(knobs: dict[str, Any]) -> dict[str, Any]:
    """Rename the scores that knobs name."""
    return {knob: _value(value) if knob in NAMING else value for knob, value in knobs.items()}


def _value(value: Any) -> Any:
    """Rename the scores in a name, or in the keys of a mapping."""
    if isinstance(value, Mapping):
        return {_renamed(name) if name in SCORES else name: weight for name, weight in value.items()}
    return _renamed(value) if isinstance(value, str) and value in SCORES else value


def _renamed(name: str) -> str:
    """Return the current name, with a warning."""
    current = SCORES[name]
    warnings.warn(f"the score '{name}' is called '{current}'; use that name", FormerName, stacklevel=2)
    return current
