"""The recipe that the arguments of a call describe, checked before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.config.recipe import Recipe
from recipe.config.registry import check_knobs
from recipe.data.pool import LABELS, SCHEMA
from recipe.errors import ConfigError
from recipe.stages.parts import check_parts

WRITER_KNOBS = (
    "ids",
    "pack",
    "max_tokens",
    "originals",
    "pictures",
    "sizes",
)  # that the section `write` gives to a writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from recipe.stages.read._sources.given import Inputs


def make_plan(recipe: Recipe | Mapping[str, Any] | str | Path | None, given: Inputs | None, **knobs: Any) -> Recipe:
    """Make the recipe and check the knobs of every step before anything is read."""
    if given is not None and given.paths is not None:
        knobs["sources"] = given.paths
    plan = Recipe.of(recipe, **knobs)
    check_parts(plan)
    selectors = [plan.select, *(part.select for part in plan.parts.values() if part.select)]
    stages = {"embed": [plan.embed], "cluster": [plan.cluster], "select": selectors, "score": plan.score}
    margins = [one.margins for one in (plan.balance, *(part.balance for part in plan.parts.values())) if one]
    labels = [step.label for step in plan.score]
    for stage, steps in (stages | {"balance": [rule for one in margins for rule in one.values()]}).items():
        for step in steps:
            check_knobs(stage, step.name, step.knobs)
    if plan.write.format:
        check_knobs("write", plan.write.format.name, plan.write.format.knobs, given=WRITER_KNOBS)
    for label in labels:  # after the functions themselves, whose names would otherwise be blamed
        if label in SCHEMA or label in LABELS:
            what = f"expected a name that no column of a pool has, got {label}"
            raise ConfigError(f"score: {what}; write {{module:function: {{called: ...}}}}, or rename the function")
        if labels.count(label) > 1:
            raise ConfigError(f"score: expected a name of its own for each score, got {', '.join(labels)}; rename one")
    return plan
