"""Kernels: functions that numba compiles to machine code, without the global interpreter lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that compiles a function when it is called first, and keeps the code on disk.

    Where neither the folder of the package nor the home directory can be written to, as in many containers, the code is
    compiled again in each process.

    Parameters
    ----------
    **options
        Of `numba.njit`, as ``fastmath={"nnan"}``.

    Returns
    -------
    callable
        The decorator.

    Examples
    --------
    >>> @compiled()
    ... def twice(number):
    ...     return 2 * number
    >>> twice(3)
    6
    """

    def compile_later(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            kernel = njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # numba found no folder that it may write to
            kernel = njit(nogil=True, **options)(function)
        made: Callable[..., Any] = kernel
        return made

    return compile_later
