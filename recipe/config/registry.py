"""The folder is the registry: a file in a room is found by its name, and nothing else has to be written down."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipe.config.step import Step


STAGES = Path(__file__).parent.parent / "stages"
TOLD = ("groups",)  # what a function is told by its room, not by a recipe


def names(room: str) -> list[str]:
    """List what a room offers, in alphabetical order.

    Parameters
    ----------
    room
        A folder of the package, as ``"score"``.

    Returns
    -------
    list of str
        The names that `find` understands.

    Examples
    --------
    >>> "novelty" in names("score")
    True
    """
    folder = STAGES / room
    return sorted(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))


def find(room: str, name: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of a room that bears a name; a callable is its own answer.

    Parameters
    ----------
    room
        A folder of the package; its files each hold one function that is called as the room.
    name
        A file of that folder without its ending, or a callable with the room's signature.

    Returns
    -------
    callable
        The room's function.

    Raises
    ------
    ConfigError
        If the folder has no such file.

    Examples
    --------
    >>> find("score", "novelty").__name__
    'score'
    """
    if callable(name):
        return name
    if name not in names(room):
        raise ConfigError(f"{room}: no '{name}' here, {nearest(name, names(room))}")
    function: Callable[..., Any] = getattr(import_module(f"recipe.stages.{room}.{name}"), room)
    return function


def check_knobs(room: str, name: str | Callable[..., Any], knobs: dict[str, Any]) -> None:
    """Raise if a knob is none of the function's keyword arguments, or one without a default is missing.

    Parameters
    ----------
    room, name
        As for `find`.
    knobs
        Keyword arguments that a recipe gives.

    Raises
    ------
    ConfigError
        If the function knows no such knob, or needs one that is not given.
    """
    parameters = inspect.signature(find(room, name)).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in TOLD]
    for knob in knobs:
        if knob not in known and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            raise ConfigError(
                f"{room}.{name}: unknown knob '{knob}', {nearest(knob, known) if known else 'it has none'}"
            )
    for knob in needed_knobs(room, name):
        if knob not in knobs:
            raise ConfigError(f"{room}.{name}: expected the knob '{knob}'; write {{{name}: {{{knob}: ...}}}}")


def needed_knobs(room: str, name: str | Callable[..., Any]) -> list[str]:
    """List the knobs without which a function of a room cannot be called.

    Examples
    --------
    >>> needed_knobs("score", "column"), needed_knobs("score", "novelty")
    (['file', 'column'], [])
    """
    parameters = inspect.signature(find(room, name)).parameters.values()
    bare = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    return [knob for knob in bare if knob not in {*TOLD, "seed"}]


def call(room: str, step: Step, *data: Any, seed: int | None = None) -> Any:
    """Call the function that a step names, with its knobs.

    Parameters
    ----------
    room
        A folder of the package.
    step
        Name (or callable) and knobs.
    *data
        What the room's functions are given.
    seed
        Given on as `seed` to a function that has such a knob, unless the step sets it.

    Returns
    -------
    object
        What the room's functions return.

    Examples
    --------
    >>> from recipe.config.step import Step
    >>> call("cluster", Step(lambda vectors, seed: (vectors, seed), {}), [1.0], seed=3)
    ([1.0], 3)
    """
    function = find(room, step.name)
    knobs = dict(step.knobs)
    if seed is not None and "seed" in inspect.signature(function).parameters:
        knobs.setdefault("seed", seed)
    return function(*data, **knobs)
