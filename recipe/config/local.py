"""Which files are your own code, and not Python's, installed or this package's: what they import, where they raised."""

from __future__ import annotations

import ast
import sys
import sysconfig
import traceback
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1]
INSTALLED = {"site-packages", "dist-packages"}
LONGEST = 300  # characters of the text of an error


def is_local(file: str | Path) -> bool:
    """Return whether a file is your own: neither installed, nor of Python, nor of this package.

    Examples
    --------
    >>> is_local("my_scores.py"), is_local(ast.__file__), is_local(__file__)
    (True, False, False)
    """
    if str(file).startswith("<"):  # made by exec, or frozen into Python
        return not str(file).startswith("<frozen")
    path = Path(file).absolute()
    return not INSTALLED.intersection(path.parts) and not any(path.is_relative_to(one) for one in (PACKAGE, *_python()))


@cache
def _python() -> tuple[Path, ...]:
    """Return the folders of Python's own modules."""
    return tuple({Path(sysconfig.get_path(name)).absolute() for name in ("stdlib", "platstdlib")})


def told(error: BaseException) -> str:
    r"""Say in one line what was raised, and at which line of your own code.

    Examples
    --------
    >>> told(ValueError("no\nwords"))
    'ValueError: no words'
    """
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  the error of a user may raise another
        text = ""
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_local(frame.filename)] or frames
    at = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    at = "" if isinstance(error, SyntaxError) else at  # its text has the place
    return f"{type(error).__name__}{text and ': '}{text}{at}"


def local_imports(module: str, file: Path) -> list[Path]:
    """List the files of your own that a module imports, and those that they import; nothing is imported to find out.

    Statements anywhere in a file are seen, also inside functions. What is imported by a name that is computed, as by
    `importlib`, is not seen, nor is any other file that the code reads.

    Parameters
    ----------
    module
        Its full name.
    file
        Its file.

    Returns
    -------
    list of Path
        In the order of their names, without `file`. Files that cannot be parsed import nothing.

    Examples
    --------
    >>> local_imports("recipe.config.local", Path(__file__))
    []
    """
    todo, known = [(module, file)], {file}
    while todo:
        for name, found in _imported(*todo.pop()):
            if found not in known and is_local(found):
                known.add(found)
                todo.append((name, found))
    return sorted(known - {file})


def _imported(module: str, file: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and the file of each module that a file imports, and of the packages that hold it."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*above, node.module]))
            names = [base, *(f"{base}.{one.name}" for one in node.names)]
        for name in names:
            yield from _files_of(name)


def _files_of(name: str) -> Iterator[tuple[str, Path]]:
    """Yield the files of a module and of the packages that hold it, as far as there are any."""
    parts, places = name.split("."), None
    for depth, _ in enumerate(parts):
        full = ".".join(parts[: depth + 1])
        spec = None
        with suppress(ImportError, ValueError, AttributeError):
            spec = PathFinder.find_spec(full, sys.path if places is None else places)
        if spec is None:
            return
        if spec.has_location and spec.origin and spec.origin.endswith(".py"):
            yield full, Path(spec.origin)
        places = list(spec.submodule_search_locations or ())
