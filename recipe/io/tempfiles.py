"""The temporary files of writes in progress: locked while their writer lives, swept once it is dead."""

from __future__ import annotations

import re
from contextlib import suppress
from secrets import token_hex
from time import time
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not POSIX: only age tells a dead writer
    fcntl = None

STALE = 86_400  # seconds without a write after which a writer is dead, where locks do not tell


def open_temporary(final: Path, mode: str, **knobs: Any) -> IO[Any]:
    """Create and lock `.<name>.<8 hexadecimal digits>.tmp` beside a target.

    Parameters
    ----------
    final
        The target; its folder must exist.
    mode
        ``"x"`` or ``"xb"``.
    **knobs
        Given on to `open`.

    Returns
    -------
    file
        Open for writing; the lock lasts until it is closed, or its process dies.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    while True:
        path = final.with_name(f".{final.name}.{token_hex(4)}.tmp")
        file: IO[Any] = path.open(mode, **knobs)
        if _lock(file) is not False and path.exists():
            return file
        file.close()  # a sweep came between creating and locking, and took it for dead


def sweep(final: Path) -> None:
    """Remove the temporary files that killed runs have left beside a target; those of living writers stay.

    Parameters
    ----------
    final
        The target.
    """
    pattern = re.compile(rf"\.{re.escape(final.name)}\.[0-9a-f]{{8}}\.tmp")
    for path in final.parent.iterdir():
        if pattern.fullmatch(path.name):
            with suppress(OSError):  # another sweep was faster, or the file is another user's: no reason to stop
                _remove_dead(path)


def _remove_dead(path: Path) -> None:
    """Remove a temporary file whose lock is free."""
    with path.open("r+b") as file:
        free = _lock(file)
        if free or (free is None and time() - path.stat().st_mtime > STALE):
            path.unlink()


def _lock(file: IO[Any]) -> bool | None:
    """Lock a file: true if it could be, false if another holds it, None if this system has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
