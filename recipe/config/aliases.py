"""Names that earlier versions used: they are understood, with a DeprecationWarning that says the name of today."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipe.config.step import Step

SCORES = {"coverage": "concept_coverage"}  # of 0.1.0
NAMING = ("quality", "by", "weights")  # knobs of selectors and blends that name scores


def score_of_today(step: Step) -> Step:
    """Return a score under its name of today."""
    if isinstance(step.name, str) and step.name in SCORES:
        return step._replace(name=_renamed(step.name))
    return step._replace(knobs=_knobs(step.knobs)) if step.name == "blend" else step


def selector_of_today(step: Step, called: set[str]) -> Step:
    """Return a selector that names scores as today; one that the recipe itself calls by an old name is meant."""
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
    """Return the name of today, and say that the old one will go."""
    today = SCORES[name]
    warnings.warn(f"the score '{name}' is called '{today}'; name it so", DeprecationWarning, stacklevel=2)
    return today
