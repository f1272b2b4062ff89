"""What the picks of a recipe depend on: scores that it names are added to its list, unused ones can be left out."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING

from recipe.config.code import Code, code_of, name_of
from recipe.config.registry import find, names, needed_knobs
from recipe.config.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.config.recipe import Recipe


def complete(plan: Recipe) -> Recipe:
    """Return a recipe that lists every shipped score that its selectors and blends name; added ones come first.

    Examples
    --------
    >>> from recipe.config.recipe import Recipe
    >>> [step.label for step in complete(Recipe(score=[], select={"ranked": {"by": "novelty"}})).score]
    ['novelty']
    """
    selectors = [plan.select, *(part.select for part in plan.parts.values() if part.select)]
    values = [knob for step in selectors for knob in (step.knobs.get("quality"), step.knobs.get("by"))]
    values += [step.knobs.get("weights") for step in plan.score if step.name == "blend"]
    listed = {step.label for step in plan.score}
    known = [name for name in names("score") if not needed_knobs("score", name)]
    missing = [name for name in dict.fromkeys(names_in(values)) if name in known and name not in listed]
    return plan.model_copy(update={"score": (*(Step(name, {}) for name in missing), *plan.score)})


def without_unused(plan: Recipe) -> Recipe:
    """Return a recipe without what its picks do not depend on: certificates, and scores that nothing else names.

    A recipe with a function of your own, which may use any score, is returned unchanged.
    """
    steps = [plan.select, *plan.balance.margins.values()]
    for part in plan.parts.values():
        steps += [*([part.select] if part.select else []), *(part.balance.margins.values() if part.balance else [])]
    if any(name_of(step.name) for step in (*steps, *plan.score)):
        return plan
    used = {name for step in steps for name in names_in(step.knobs)}
    kept: list[Step] = []
    for step in reversed(plan.score):
        if step.label in used:
            kept.insert(0, step)
            used |= set(names_in(step.knobs))
    parts = {
        name: part.model_copy(update={"select": _uncertified(part.select)}) if part.select else part
        for name, part in plan.parts.items()
    }
    return plan.model_copy(update={"score": tuple(kept), "select": _uncertified(plan.select), "parts": parts})


def own_functions(plan: Recipe) -> list[Code]:
    """List the functions of your own in a recipe, each once, in the order of their names.

    Examples
    --------
    >>> from recipe.config.recipe import Recipe
    >>> [code.name for code in own_functions(Recipe(score=["json:loads", "length"]))]
    ['json:loads']
    """
    parts = plan.parts.values()
    steps = [plan.embed, plan.cluster, plan.select, *plan.score, *plan.balance.margins.values()]
    steps += [step for part in parts if part.balance for step in part.balance.margins.values()]
    steps += [step for step in (plan.write.format, *(part.select for part in parts)) if step]
    given = [*(step.name for step in steps), *(source.format for source in plan.sources if source.format)]
    return sorted({code for one in given if (code := code_of(one))})


def _uncertified(step: Step) -> Step:
    """Return a selector without its certificate, which takes time."""
    if "certificate" in signature(find("select", step.name)).parameters:
        return step._replace(knobs=step.knobs | {"certificate": False})
    return step


def names_in(knobs: object) -> Iterator[str]:
    """Yield every string in some knobs, including their names.

    Examples
    --------
    >>> sorted(names_in({"quality": {"length": 0.05}, "by": "novelty"}))
    ['by', 'length', 'novelty', 'quality']
    """
    if isinstance(knobs, str):
        yield knobs
    elif isinstance(knobs, Mapping):
        for name, value in knobs.items():
            yield from names_in(name)
            yield from names_in(value)
    elif isinstance(knobs, list | tuple):
        for value in knobs:
            yield from names_in(value)
