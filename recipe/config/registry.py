"""The folder is the registry: a file of a stage's folder is found by its name, with no list to maintain."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from recipe.config.code import load, name_of
from recipe.config.knobs import annotation_of, check_value, shown
from recipe.config.local import told
from recipe.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


STAGES = Path(__file__).parent.parent / "stages"
DATA = {  # the positional arguments of the functions of each stage
    "read": ("record", "context"),
    "tag": ("pool",),
    "dedup": ("pool",),
    "embed": ("pool",),
    "cluster": ("vectors",),
    "score": ("pool",),
    "balance": ("counts", "size"),
    "select": ("pool", "quotas"),
    "write": ("pool", "rows", "path"),
}
GIVEN = ("groups", "pictures", "sizes")  # keyword arguments that come from the stage, not from a recipe


def names(room: str) -> list[str]:
    """List the names in a stage's folder, in alphabetical order.

    Parameters
    ----------
    room
        A folder of `recipe.stages`, as ``"score"``.

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
    """Return the function of a stage by its name; a callable is returned itself.

    Parameters
    ----------
    room
        A folder of `recipe.stages`; each of its files has one function with the name of the folder.
    name
        A file of that folder without its ending; ``module:function``; or a callable with the stage's signature.

    Returns
    -------
    callable
        The stage's function.

    Raises
    ------
    ConfigError
        If the folder has no such file, or nothing of that name can be imported.

    Examples
    --------
    >>> find("score", "novelty").__name__
    'score'
    """
    owner = home(room, name)
    try:
        function: Any = getattr(owner, room, getattr(owner, "encode", owner))  # an embedder may have only `encode`
    except Exception as error:
        raise ConfigError(f"{room}: asking {shown(name)} for '{room}' raised {told(error)}; correct it") from error
    if not callable(function):
        raise ConfigError(f"{room}: expected {name} to be a function, or to have a function {room}, got {owner!r}")
    return cast("Callable[..., Any]", function)


def home(room: str, name: str | Callable[..., Any]) -> Any:
    """Return the object of a name: the module of a file of the stage, or the object that was named or given.

    Parameters
    ----------
    room, name
        As for `find`.

    Returns
    -------
    object
        An embedder's has `encode`, and may have `fit` and `report`; a reader's has `confidence`.

    Raises
    ------
    ConfigError
        If the folder has no such file, or nothing of that name can be imported.

    Examples
    --------
    >>> home("score", "novelty").__name__
    'recipe.stages.score.novelty'
    """
    if not isinstance(name, str):
        return name
    if name_of(name):
        return load(name)
    if name not in names(room):
        raise ConfigError(f"{room}: no {shown(name)} here, {nearest(name, names(room))}")
    return import_module(f"recipe.stages.{room}.{name}")


def is_costly(room: str, name: str | Callable[..., Any]) -> bool:
    """Return whether the file of a function declares that it takes minutes, by ``COSTLY = True``.

    Examples
    --------
    >>> is_costly("score", "novelty"), is_costly("score", "length")
    (True, False)
    """
    module = sys.modules.get(getattr(find(room, name), "__module__", ""))
    return bool(getattr(module, "__dict__", {}).get("COSTLY", False))


def check_knobs(
    room: str, name: str | Callable[..., Any], knobs: dict[str, Any], *, given: Collection[str] = ()
) -> None:
    """Raise if a knob is no keyword argument of the function or does not fit its annotation, or one is missing.

    Parameters
    ----------
    room, name
        As for `find`.
    knobs
        Keyword arguments that a recipe gives.
    given
        Names of others that the stage gives.

    Raises
    ------
    ConfigError
        If the function has no such knob, requires one that is not given, or a value is of another type or out of the
        range that the function's annotation says.

    Examples
    --------
    >>> check_knobs("embed", "hashing", {"d": 64})
    >>> check_knobs("embed", "hashing", {"d": 0})
    Traceback (most recent call last):
    recipe.errors.ConfigError: embed.hashing.d: expected an integer from 1 and up to 4096, got d=0
    """
    parameters = _parameters(room, name)
    place = f"{room}.{name_of(name) or name}"
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN]
    for knob in knobs:
        if knob not in known and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            hint = nearest(str(knob), known) if known else "it has none"
            if any(p.name == knob and p.name not in GIVEN for p in parameters[len(DATA[room]) :]):
                hint = f"since '{knob}' is not keyword-only; write def ...({', '.join(DATA[room])}, *, {knob}=...)"
            raise ConfigError(f"{place}: unknown knob {shown(knob)}, {hint}")
    for knob in needed_knobs(room, name):
        if knob not in knobs and knob not in given:
            raise ConfigError(f"{place}: expected the knob '{knob}'; write {{{name}: {{{knob}: ...}}}}")
    function = find(room, name)
    for parameter in parameters:
        if parameter.name in knobs and knobs[parameter.name] is not parameter.default:
            check_value(f"{place}.{parameter.name}", annotation_of(function, parameter), knobs[parameter.name])


def _parameters(room: str, name: str | Callable[..., Any]) -> list[inspect.Parameter]:
    """List the parameters of a function; raise if it does not take the positional arguments of its stage."""
    function = find(room, name)
    if inspect.isbuiltin(function) or inspect.isclass(function):
        raise ConfigError(f"{room}: expected a function written in Python, got {name}; wrap it in one")
    signature = inspect.signature(function)
    data = ("part", "learned") if room == "embed" and function.__name__ == "encode" else DATA[room]
    places = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    many = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())
    needed = [p for p in places if p.default is p.empty]
    if len(needed) > len(data) or (len(places) < len(data) and not many):
        takes = f"({', '.join(data)}, *, ...)"
        raise ConfigError(f"{room}: expected a function of {takes}, got {name}{signature}; change what it takes")
    return list(signature.parameters.values())


def fitting(room: str, name: str | Callable[..., Any], knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some knobs that a function of a stage has.

    Examples
    --------
    >>> fitting("balance", "temperature", {"t": 3, "colour": "red"})
    {'t': 3}
    """
    parameters = _parameters(room, name)
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return dict(knobs)
    known = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    return {knob: value for knob, value in knobs.items() if knob in known}


def needed_knobs(room: str, name: str | Callable[..., Any]) -> list[str]:
    """List the knobs without a default of a function of a stage.

    Examples
    --------
    >>> needed_knobs("score", "column"), needed_knobs("score", "novelty")
    (['file', 'column'], [])
    """
    parameters = _parameters(room, name)
    bare = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    return [knob for knob in bare if knob not in {*GIVEN, "seed"}]
