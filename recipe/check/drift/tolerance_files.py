"""Files of tolerances: the one that is shipped, and those of users."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from recipe.check.drift.tolerances import BASELINE, Room, Tolerance
from recipe.errors import ConfigError, nearest
from recipe.io.yaml import read_yaml

SHIPPED = Path(__file__).with_name("tolerances.yaml")
PLAIN = ("exact", "min", "max", "ignore")  # comparators that need no number
KEYS = ("exact", "min", "max", "within", "slack")


def load_tolerances(given: Mapping[str, Any] | str | Path | None = None) -> tuple[list[Tolerance], list[Tolerance]]:
    """Read the shipped tolerances and those of the user.

    Parameters
    ----------
    given
        Pattern -> comparator: a mapping, or a YAML file of one. A comparator is ``exact``, ``min``, ``max`` or
        ``ignore``, where `min` and `max` mean no less and no more than the baseline; or a mapping: ``{within: 0.01}``,
        ``{within: 10%}``, ``{within: [10%, 1]}`` (the wider applies), ``{min: 0.4, max: 0.6}``, ``{exact: 20000}``,
        ``{min: baseline, slack: 5%}``.

    Returns
    -------
    tuple
        The shipped ones, and those given; the last one that matches a metric applies.

    Raises
    ------
    InputError
        If the file cannot be read.
    ConfigError
        If it holds no mapping, or a comparator is not valid.

    Examples
    --------
    >>> _, (one,) = load_tolerances({"task/*": {"within": "10%"}})
    >>> str(one), [round(bound, 6) for bound in one.bounds(0.5)]
    ('within 10%', [0.45, 0.55])
    """
    where = str(given) if isinstance(given, str | Path) else "tolerances"
    content = _read(Path(given)) if isinstance(given, str | Path) else given or {}
    return list(_shipped()), _parsed(content, where)


@cache
def _shipped() -> tuple[Tolerance, ...]:
    """Read the tolerances of the package, once."""
    return tuple(_parsed(_read(SHIPPED), str(SHIPPED)))


def _read(file: Path) -> Any:
    """Read a YAML file."""
    content = read_yaml(file, "the tolerances", texts=True)  # as text, since `yes` is a metric and not a boolean
    if content is None:
        what = "expected metric: comparator, as 'yes: {within: 0.02}', got an empty file"
        raise ConfigError(f"{file}: {what}; add one, or leave the file out")
    return content


def _parsed(content: Any, where: str) -> list[Tolerance]:
    """Parse every line of a tolerance file."""
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: expected metric: comparator, as 'yes: {{within: 0.02}}', got {content!r:.60}")
    return [parse(pattern, rule, where) for pattern, rule in content.items()]


def parse(pattern: Any, rule: Any, where: str = "tolerances") -> Tolerance:
    """Parse one line of a tolerance file.

    Parameters
    ----------
    pattern
        A metric or a glob.
    rule
        Its comparator.
    where
        The file, for the error.

    Returns
    -------
    Tolerance
        The comparator.

    Raises
    ------
    ConfigError
        If it is not valid.
    """
    place = f"{where}: {pattern}"
    if rule == "ignore":
        return Tolerance(str(pattern), ignored=True)
    keys = {rule: BASELINE} if isinstance(rule, str) and rule in PLAIN else rule
    if not isinstance(keys, Mapping):
        hint = nearest(rule, PLAIN) if isinstance(rule, str) else "write {within: 0.01}"
        raise ConfigError(f"{place}: expected {', '.join(PLAIN)} or a mapping, got {rule!r}; {hint}")
    for key in keys:
        if key not in KEYS:
            raise ConfigError(f"{place}: unknown comparator '{key}', {nearest(str(key), KEYS)}")
    kinds = set(keys) - {"slack"}
    if kinds not in ({"exact"}, {"within"}, {"min"}, {"max"}, {"min", "max"}) or kinds == {"within"} < set(keys):
        raise ConfigError(f"{place}: expected exact, within, or min and max with slack, got {', '.join(keys) or '{}'}")
    if "within" in keys:
        return Tolerance(str(pattern), BASELINE, BASELINE, _room(keys["within"], place))
    room = _room(keys["slack"], place) if "slack" in keys else Room()
    low, high = (
        _bound(keys.get(end, keys.get("exact")), place) if {end, "exact"} & kinds else None for end in ("min", "max")
    )
    if isinstance(low, float) and isinstance(high, float) and low > high:
        raise ConfigError(f"{place}: expected min below max, got min={low:g}, max={high:g}")
    return Tolerance(str(pattern), low, high, room)


def _bound(value: Any, place: str) -> float | str:
    """Parse a bound: a number, or "baseline" for the baseline's value."""
    number = math.nan if value == BASELINE else _float(value)
    if value != BASELINE and not math.isfinite(number):
        raise ConfigError(f"{place}: expected a number or 'baseline', got {value!r}")
    return BASELINE if value == BASELINE else number


def _room(value: Any, place: str) -> Room:
    """Parse a slack: a number, a percentage, or both."""
    parts = value if isinstance(value, list | tuple) and value else [value]
    sizes = [_size(part, place) for part in parts]
    return Room(
        max((size for size, relative in sizes if not relative), default=0.0),
        max((size for size, relative in sizes if relative), default=0.0),
    )


def _size(part: Any, place: str) -> tuple[float, bool]:
    """Return a number from 0, and whether it is a share of the baseline."""
    relative = isinstance(part, str) and part.endswith("%")
    size = _float(part[:-1]) / 100 if relative else _float(part)
    if not 0 <= size < math.inf:
        raise ConfigError(f"{place}: expected a number from 0, a percentage as 5%, or a list of both, got {part!r}")
    return size, relative


def _float(value: Any) -> float:
    """Return a value as a float; NaN if it is no number."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return math.nan
