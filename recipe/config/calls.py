"""Call the functions of stages: what your own is lent it cannot change, and what it raises becomes one line."""

from __future__ import annotations

import inspect
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.code import name_of
from recipe.config.local import told
from recipe.config.registry import find
from recipe.config.surroundings import left_alone
from recipe.errors import FunctionError, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.config.step import Step


def call(room: str, step: Step, *data: Any, seed: int | None = None) -> Any:
    """Call the function that a step names, with its knobs.

    Parameters
    ----------
    room
        A folder of `recipe.stages`.
    step
        Name (or callable) and knobs.
    *data
        The positional arguments of the stage's functions.
    seed
        Passed as `seed` to a function that has such a parameter, unless the step sets it.

    Returns
    -------
    object
        What the stage's functions return.

    Raises
    ------
    FunctionError
        If a function of your own raises anything but an error of this package, or ends the program.

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
    if name_of(step.name) is None:
        return function(*data, **knobs)
    with guarded(step.name):
        return function(*map(lend, data), **copied(knobs))


@contextmanager
def guarded(function: object, method: str = "", *, about: object = "") -> Iterator[None]:
    """Turn whatever a function of your own raises into one line that names it and the place; its cause is kept.

    The working directory is restored, and an output that it closes is an error.

    Parameters
    ----------
    function
        As a step of a recipe names it; what a function of this package raises is not touched.
    method
        The method of it that is called.
    about
        What it is called for, as a file.

    Raises
    ------
    FunctionError
        In place of what was raised, unless it is an error of this package or Ctrl-C; or if it closed an output.

    Examples
    --------
    >>> with guarded("my_scores:brevity", about="pool.json"):
    ...     {}["a"]
    Traceback (most recent call last):
    recipe.errors.FunctionError: my_scores:brevity raised KeyError: 'a' (<doctest ...>, line 2), for pool.json
    """
    name = name_of(function)
    try:
        with nullcontext() if name is None else left_alone(name):
            yield
    except (RecipeError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # it may call sys.exit, and a panic in Rust is no Exception
        if name is None:
            raise
        where = f", for {about}" if about else ""
        raise FunctionError(f"{name}{method and '.'}{method} raised {told(error)}{where}") from error


def lend(value: Any) -> Any:
    """Return data for a function of your own, such that nothing that it changes in place reaches the original.

    Examples
    --------
    >>> numbers = np.zeros(2)
    >>> lend(numbers).flags.writeable, numbers.flags.writeable
    (False, True)
    """
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    return value.lent() if hasattr(value, "lent") else value


def copied(knobs: Any) -> Any:
    """Return knobs with copies of the lists and mappings in them, which belong to the recipe.

    Examples
    --------
    >>> knobs = {"weights": {"a": [1]}}
    >>> copied(knobs)["weights"]["a"] is knobs["weights"]["a"]
    False
    """
    if type(knobs) is dict:
        return {name: copied(value) for name, value in knobs.items()}
    return [copied(value) for value in knobs] if type(knobs) is list else knobs
