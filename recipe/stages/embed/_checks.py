"""Check what an embedder returns before anything is made of it, and scale the vectors of your own to length one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.calls import copied, guarded, lend
from recipe.config.code import name_of
from recipe.config.knobs import shown
from recipe.config.registry import home
from recipe.config.step import Step
from recipe.data.vectors import check_vectors, unit_rows
from recipe.errors import AlignmentError, FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recipe.data.pool import Pool

    Embedder = str | Callable[..., Any]


def checked(vectors: object, n: int, embedder: Embedder) -> NDArray[np.float16]:
    """Return vectors as they are attached to a pool, or raise; O(n d).

    Parameters
    ----------
    vectors
        What an embedder returned.
    n
        Samples that it was given.
    embedder
        As a step of a recipe names it.

    Returns
    -------
    ndarray
        (n, d) float16 unit rows. Those of an embedder of your own are scaled to length one, as vectors from a file
        are; a zero row becomes the first unit vector.

    Raises
    ------
    AlignmentError
        If they are no finite (n, d) array of floats.

    Examples
    --------
    >>> checked(np.array([[3.0, 4.0], [0.0, 0.0]]), 2, "mine:embed").tolist()
    [[0.60009765625, 0.7998046875], [1.0, 0.0]]
    """
    who = f"embed.{Step(embedder, {}).label}"
    if not isinstance(vectors, np.ndarray) or isinstance(vectors, np.ma.MaskedArray):
        what = f"expected a NumPy array of shape ({n}, d) and dtype float32"
        raise AlignmentError(f"{who}: {what}, got {type(vectors).__name__}; return np.asarray(...)")
    own = name_of(embedder) is not None
    if own and vectors.dtype.kind == "f" and vectors.ndim == 2:  # noqa: PLR2004  a matrix
        with np.errstate(over="ignore"):
            vectors = np.array(vectors, np.float32)  # a copy, and no longer a mapped file, whose values no one checks
    try:
        check_vectors(vectors, n)
    except AlignmentError as error:
        raise AlignmentError(f"{who}: {error}; correct what it returns") from None
    return np.asarray(unit_rows(vectors) if own else vectors, dtype=np.float16)


def fitted(embedder: Embedder, pool: Pool, knobs: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Return what an embedder learns from a pool, as named arrays that its `encode` cannot change.

    Raises
    ------
    FunctionError
        If it is no mapping of plain names to arrays of numbers or text.
    """
    fit = home("embed", embedder).fit
    if name_of(embedder) is None:
        made = fit(pool, **knobs)
    else:
        with guarded(embedder, "fit"):
            made = fit(pool.lent(), **copied(knobs))
    who = f"embed.{Step(embedder, {}).label}.fit"
    if not isinstance(made, Mapping):
        raise FunctionError(f"{who}: expected a mapping of names to arrays, got {shown(made)}; return a dict")
    learned = {}
    for name, given in made.items():
        if not isinstance(name, str) or not name.isidentifier():
            what = "expected names like those of variables, which become names of files"
            raise FunctionError(f"{who}: {what}, got {shown(name)}; rename it")
        array = _array(given)
        if array is None:
            raise FunctionError(f"{who}: expected an array of numbers or text as {name}, got {shown(given)}; give one")
        learned[name] = lend(array)
    return learned


def reported(embedder: Embedder, learned: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Return what an embedder says of its vectors.

    Raises
    ------
    FunctionError
        If it is no mapping of names to finite numbers.
    """
    with guarded(embedder, "report"):
        given = home("embed", embedder).report(learned)
    pairs = list(given.items()) if isinstance(given, Mapping) else [(None, given)]
    for name, value in pairs:
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not isinstance(name, str) or not number or not np.isfinite(value):
            who = f"embed.{Step(embedder, {}).label}.report"
            raise FunctionError(f"{who}: expected a mapping of names to finite numbers, got {shown(given)}; return one")
    return {str(name): float(value) for name, value in pairs}


def _array(given: object) -> NDArray[Any] | None:
    """Return an array that can be written to a file; None for what is none."""
    try:
        array = np.asarray(given)
    except Exception:  # noqa: BLE001  the object of a user may raise anything
        return None
    return None if array.dtype.hasobject or isinstance(given, np.ma.MaskedArray) else array
