"""Every way in which a command can fail is one line on standard error; the traceback is shown with `--debug` only."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from contextlib import contextmanager, suppress
from errno import EPIPE
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from recipe.cli._terminal import CLOSED, CONTROL
from recipe.errors import RecipeError, RecipeWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED = 2


@contextmanager
def one_line(*, debug: bool = False) -> Iterator[None]:
    """Turn whatever a command raises into one line and exit code 2, and its warnings into one line each.

    Parameters
    ----------
    debug
        Whether the traceback is printed too.

    Raises
    ------
    SystemExit
        With 2 after an error.
    """
    try:
        with _warnings_as_lines():
            yield
        sys.stdout.flush()  # here, or a full disk behind it would be noticed when nobody can report it
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  a panic in Rust is no Exception
        if debug:
            traceback.print_exc()
        _silence(sys.stdout)
        closed = isinstance(error, ValueError) and getattr(sys.stdout, "closed", False)
        _say(CLOSED if closed else line_of(error))
        raise SystemExit(FAILED) from None


def line_of(error: BaseException) -> str:
    """Describe an error in one line: what happened, to which file, and what to do.

    Examples
    --------
    >>> line_of(PermissionError(13, "Permission denied", "mix.json"))
    'mix.json: permission denied; check who may read and write it'
    >>> line_of(MemoryError())
    'out of memory; use fewer workers, a cache, or a machine with more'
    """
    if isinstance(error, RecipeError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory; use fewer workers, a cache, or a machine with more"
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, RecursionError):
        return "a value is nested too deep; check the files that were named"
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {Path(one.filename).name}:{one.lineno}" for one in place)
    what = f"{type(error).__name__}{where}: {error}"
    return f"an error that should not happen, {what}; run it again with --debug, and report what it prints"


def _of_system(error: OSError) -> str:
    """Describe an error of the operating system."""
    if error.errno == EPIPE:
        return CLOSED
    files = [str(os.fsdecode(name)) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    where = f"{' -> '.join(files)}: " if files else ""
    what = error.strerror or str(error) or type(error).__name__
    hint = "check who may read and write it" if isinstance(error, PermissionError) else "check the path, and free space"
    return f"{where}{what[:1].lower()}{what[1:]}; {hint}"


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print a warning of `recipe` as one line, and each only once."""
    usual, said = warnings.showwarning, set[str]()

    def show(  # noqa: PLR0917  as `warnings` calls it
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, RecipeWarning):
            usual(message, category, filename, lineno, file, line)
        elif str(message) not in said:
            said.add(str(message))
            _say(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", RecipeWarning)
        warnings.showwarning = show
        yield


def _say(text: str) -> None:
    """Print one line on standard error, without characters that control a terminal."""
    text = " ".join(text.split()).removeprefix("recipe: ")  # what is wrong with a recipe may begin so itself
    line = CONTROL.sub("?", text).encode("utf-8", "replace").decode()
    with suppress(OSError, ValueError):  # standard error may be closed, or on a full disk, too
        sys.stderr.write(f"recipe: {line}\n")
        sys.stderr.flush()


def _silence(stream: TextIO) -> None:
    """Send what a broken stream still holds to nowhere, or Python would complain when it exits."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
