"""Paths as a program gives them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from recipe.errors import ConfigError


def path_of(given: Any, name: str) -> Path:
    """Return a path that an argument names.

    Parameters
    ----------
    given
        A text, or an object with a path such as `pathlib.Path`.
    name
        The name of the argument, for the error.

    Returns
    -------
    Path
        The path; whether something stands there is not looked at.

    Raises
    ------
    ConfigError
        If it is of another type, empty, or has a zero byte.

    Examples
    --------
    >>> path_of("a/mix.json", "path").name
    'mix.json'
    >>> path_of(None, "path")
    Traceback (most recent call last):
    recipe.errors.ConfigError: expected a path, got path=None; name a file, as text or as a pathlib.Path
    """
    text = os.fspath(given) if isinstance(given, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        got = " ".join(repr(given).split())  # that of a table has several lines
        raise ConfigError(f"expected a path, got {name}={got:.80}; name a file, as text or as a pathlib.Path")
    return Path(given)
