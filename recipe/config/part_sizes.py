"""The number of samples that each part of a mix picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.config.knobs import shown
from recipe.config.recipe import Recipe
from recipe.config.size import read_size
from recipe.errors import SupplyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.config.sections import Part


def part_sizes(plan: Recipe, count: int, claimed: Mapping[str, int]) -> dict[str, int]:
    """Turn the sizes of parts into counts, whose sum is the size of the mix if one was given.

    Parameters
    ----------
    plan
        A recipe with parts.
    count
        Samples of the whole mix; shares are shares of it.
    claimed
        Part of size "all" to the number of samples that match it.

    Returns
    -------
    dict
        Part to its number of samples, from 1 for those that are not claimed.

    Raises
    ------
    SupplyError
        If the other parts leave nothing for the part without a size, or all parts have a size and do not sum to that of
        the recipe, unless this is the default.

    Examples
    --------
    >>> part_sizes(Recipe(size=30, parts={"a": {"size": 10}, "b": {}}), 30, {})
    {'a': 10, 'b': 20}
    >>> part_sizes(Recipe(size=30, parts={"a": {"size": 10}, "b": {"size": 10}}), 30, {})
    Traceback (most recent call last):
    recipe.errors.SupplyError: size=30: the sizes of the parts (a 10, b 10) sum to 20; give size=20, or leave ...
    """
    sizes, exact = dict(claimed), dict[str, float]()
    for name, part in plan.parts.items():
        if name not in claimed and part.size is not None:
            number, unit = read_size(part.size)
            if unit == "share":
                exact[name] = number * count
            sizes[name] = max(1, round(exact.get(name, number)))
    rest = next((name for name in plan.parts if name not in sizes), None)
    taken = sum(sizes.values())
    if rest is not None:
        if taken >= count:
            what = f"size={count}: the other parts take {taken} and leave none for parts.{rest}"
            raise SupplyError(f"{what}; {_enough(plan.parts, claimed)}")
        return sizes | {rest: count - taken}
    if round(taken - sum(sizes[name] for name in exact) + sum(exact.values())) == count:
        return _rounded_to(count, sizes, exact)
    if plan.size != Recipe.model_fields["size"].default:
        unit = "" if plan.size == count else f" ({count} samples)"
        each = ", ".join(f"{name} {sizes[name]}" for name in plan.parts)
        what = f"size={shown(plan.size)}{unit}: the sizes of the parts ({each:.80}) sum to {taken}"
        raise SupplyError(f"{what}; give size={taken}, or leave one part without a size, which then takes the rest")
    return sizes


def _rounded_to(count: int, sizes: dict[str, int], exact: Mapping[str, float]) -> dict[str, int]:
    """Correct the rounding of shares that sum to the whole, by one sample for those that were rounded the furthest."""
    short = count - sum(sizes.values())
    step = 1 if short > 0 else -1
    order = sorted(
        (name for name in exact if sizes[name] + step > 0), key=lambda name: step * (sizes[name] - exact[name])
    )
    return sizes | {name: sizes[name] + step for name in order[: abs(short)]}


def _enough(parts: Mapping[str, Part], claimed: Mapping[str, int]) -> str:
    """Say which size leaves a sample for the part without a size."""
    asked = {
        name: read_size(part.size) for name, part in parts.items() if name not in claimed and part.size is not None
    }
    shares = [number for number, unit in asked.values() if unit == "share"]
    fixed = sum(claimed.values()) + round(sum(number for number, unit in asked.values() if unit != "share"))
    if sum(shares) >= 1:
        return f"their shares sum to {sum(shares):.0%}, so no size is enough; give smaller shares"
    least = max(1, int(fixed / (1 - sum(shares))))
    while fixed + sum(max(1, round(share * least)) for share in shares) >= least:
        least += 1
    return f"the smallest size that works is {least} samples"
