"""A function of your own: ``module:function`` in a recipe, or a callable; identified by the hash of its source."""

from __future__ import annotations

import inspect
import json
import re
import sys
from contextlib import suppress
from functools import partial
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.config.local import local_imports, told
from recipe.config.surroundings import left_alone
from recipe.errors import ConfigError, FunctionError

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"(?:[^\W\d]\w*)(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class Code(NamedTuple):
    """The name and the source hash of a function of your own."""

    name: str
    """``module:function``."""
    sha256: str | None
    """Of the file of its module; of its own source where it is in no file, as in a notebook; None if not found."""


def name_of(function: object) -> str | None:
    """Return the name of a function of your own, ``module:function``; None for a name in the registry.

    Examples
    --------
    >>> name_of("my_scores:brevity"), name_of("novelty"), name_of(load)
    ('my_scores:brevity', None, 'recipe.config.code:load')
    """
    if isinstance(function, str):
        return function if ":" in function else None
    inner = function.func if type(function) is partial else function
    kind: Any = inner if hasattr(inner, "__qualname__") else type(inner)
    home = str(getattr(kind, "__module__", None) or "builtins")
    held = getattr(sys.modules.get(home), "__dict__", {})
    own = [name for name, one in held.items() if one is function and kind is not function]
    return (
        f"{home}:{own[0] if own else kind.__qualname__ if inner is function else f'<partial of {kind.__qualname__}>'}"
    )


def load(name: str) -> Any:
    """Import the object that a name stands for.

    Parameters
    ----------
    name
        ``module:function``; the module is imported as usual, on the command line also from the working directory.

    Returns
    -------
    object
        A function, or an object with methods, as an embedder.

    Raises
    ------
    ConfigError
        If the name is not of that form, the module cannot be imported, or it has nothing of that name.
    FunctionError
        If the module closes an output when it is imported.

    Examples
    --------
    >>> load("math:sqrt")(4)
    2.0
    """
    if "<" in name:  # <lambda>, <locals>, <partial of f>
        raise ConfigError(
            f"{name:.80}: expected a function that its module has by name; define it with def in a module"
        )
    if not _NAME.fullmatch(name):
        raise ConfigError(f"expected module:function, got {name!r:.80}; write it as in my_scores:brevity")
    module, _, path = name.partition(":")
    try:
        with left_alone(name):
            found: Any = import_module(module)
        lacks = ""
        for part in path.split("."):
            lacks = lacks or ("" if hasattr(found, part) else _lacks(found, part))
            found = getattr(found, part, None)
    except (KeyboardInterrupt, FunctionError):
        raise
    except BaseException as error:  # it may call sys.exit
        missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
        if missing and f"{module}.".startswith(f"{missing}."):
            what = "no such module can be imported; start in its folder, or install it"
        else:
            what = f"importing it failed with {told(error)}"
        raise ConfigError(f"{name}: {what}") from error
    if lacks:
        raise ConfigError(f"{name}: {lacks}")
    return found


def _lacks(found: Any, part: str) -> str:
    """Say that a module or an object has nothing of a name, and what it has."""
    if getattr(found, "__name__", "") == "__main__":
        return "it was defined in a script or a notebook, where nothing finds it again; put it in a module of its own"
    known = ", ".join(sorted(one for one in getattr(found, "__dict__", {}) if not one.startswith("_"))[:20])
    return f"the module has no '{part}', but {known or 'nothing'}"


def code_of(function: str | Callable[..., Any]) -> Code | None:
    """Return the name and the hash of a function of your own, without running it; None for a name in the registry.

    Examples
    --------
    >>> code_of("novelty") is None, code_of(load).name
    (True, 'recipe.config.code:load')
    >>> code_of("recipe.config.code:load") == code_of(load)
    True
    """
    name = name_of(function)
    if name is None:
        return None
    found = _hash_of_module(name.partition(":")[0])
    return Code(name, found or (None if isinstance(function, str) else _hash_of_text(function)))


def as_named(function: Any) -> Any:
    """Return the name of a function in place of itself, if any process finds it again by that name.

    Examples
    --------
    >>> as_named(load), as_named("svit"), as_named(None)
    ('recipe.config.code:load', 'svit', None)
    """
    name = None if isinstance(function, str | None) else name_of(function)
    if name is None or name.startswith("__main__:") or not _NAME.fullmatch(name):
        return function
    with suppress(ConfigError):
        return name if load(name) is function else function
    return function


def identity(function: str | Callable[..., Any]) -> str:
    """Return what identifies a function in a cache: its name, and of your own also a hash of its source.

    A module's file, with the files of your own that it imports (see `recipe.config.local.local_imports`), tells what
    its functions and objects are, and a source what a plain function of a notebook is. Nothing tells the state of
    another object, of a closure or of a lambda: those get a name that is never found again. Not seen are installed
    packages, modules that are imported by a computed name, and files that the code reads by itself, as images.

    Examples
    --------
    >>> from functools import partial
    >>> identity("novelty"), identity(load) == identity("recipe.config.code:load")
    ('novelty', True)
    >>> identity(partial(load, name="a")) == identity(partial(load, name="b")), identity(lambda: 1) == identity(load)
    (False, False)
    """
    code = code_of(function)
    if code is None:
        return str(function)
    if type(function) is partial:
        with suppress(TypeError, ValueError):
            return f"{identity(function.func)} {json.dumps([function.args, function.keywords], sort_keys=True)}"
    elif code.sha256 and (isinstance(function, str) or _told_by_source(code.name, function)):
        return f"{code.name} {code.sha256}{_hash_of_imports(code.name.partition(':')[0])}"
    return f"{code.name} {token_hex(8)}"


def _told_by_source(name: str, function: object) -> bool:
    """Return whether an object is the one of this name in its module, and its source tells all of it."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    plain = inspect.isfunction(function) and not function.__closure__
    return found is function and (plain or _hash_of_module(module) is not None)


def _hash_of_imports(module: str) -> str:
    """Hash the files of your own that a module imports; nothing if there are none."""
    file = _file_of(module)
    files = local_imports(module, file) if file else []
    return f" {sha256(b''.join(sha256(one.read_bytes()).digest() for one in files)).hexdigest()}" if files else ""


def _hash_of_module(name: str) -> str | None:
    """Hash the file of a module without importing it; None if there is no file."""
    file = _file_of(name)
    return None if file is None else sha256(file.read_bytes()).hexdigest()


def _file_of(name: str) -> Path | None:
    """Return the file of a module without importing it; None if there is none."""
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
    else:
        try:
            spec = find_spec(name)
        except (Exception, SystemExit):  # noqa: BLE001  a package that holds it is imported, and may raise anything
            return None
        file = spec.origin if spec and spec.has_location else None
    return None if file is None or not Path(file).is_file() else Path(file).absolute()


def _hash_of_text(function: Any) -> str | None:
    """Hash the source of a function that is in no file."""
    try:
        text = inspect.getsource(function if hasattr(function, "__qualname__") else type(function))
    except (OSError, TypeError):
        return None
    return sha256(text.encode()).hexdigest()
