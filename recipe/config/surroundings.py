"""What a function of your own must leave as it was: the working directory, and the outputs of the process."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from recipe.errors import FunctionError

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = ("stdout", "stderr")
_lock = threading.Lock()
_homes: list[str] = []  # the working directory at each call that has not ended; the first is where all end


@contextmanager
def left_alone(name: str) -> Iterator[None]:
    """Restore the working directory after a block, and raise if the block closed an output.

    Parameters
    ----------
    name
        The function of your own that the block calls.

    Raises
    ------
    FunctionError
        If `sys.stdout` or `sys.stderr` was open before and is closed.

    Examples
    --------
    >>> before = os.getcwd()
    >>> with left_alone("mine:score"):
    ...     os.chdir("/")
    >>> os.getcwd() == before
    True
    """
    usable = [stream for stream in STREAMS if not _is_closed(stream)]
    with _lock:
        _homes.append(_homes[0] if _homes else _folder())
    try:
        yield
    finally:
        with _lock:
            home = _homes.pop()
            if home and _folder() != home:
                with suppress(OSError):  # it is gone, or may no longer be entered
                    os.chdir(home)
    if closed := [stream for stream in usable if _is_closed(stream)]:
        what = "the rest of the program prints there; leave it open"
        raise FunctionError(f"{name} closed sys.{closed[0]}, the output of the process: {what}")


def _folder() -> str:
    """Return the working directory; nothing if it was removed."""
    try:
        return os.getcwd()  # noqa: PTH109  as fast as can be, since readers are called for each record
    except OSError:
        return ""


def _is_closed(stream: str) -> bool:
    """Return whether an output is closed, by its name or by its number, or was never there."""
    file = getattr(sys, stream)
    if getattr(file, "closed", True):
        return True
    try:
        os.fstat(file.fileno())
    except (AttributeError, ValueError):  # it is in memory
        return False
    except OSError:
        return True
    return False
