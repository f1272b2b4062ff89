"""Atomic writes: a file is written under a temporary name, locked while its writer lives, and then renamed."""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from time import time
from typing import IO, TYPE_CHECKING, Any, Literal, overload

from recipe.errors import InputError
from recipe.io.leftovers import track, untrack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    Place = Callable[[Path, Path], object]

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not POSIX: a dead writer is known by the age of its file only
    fcntl = None

STALE = 86_400  # seconds without a write after which a writer counts as dead, where there are no locks
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO, errno.EISDIR)  # disk full or not writable


@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb"] = "wb", *, place: Place = Path.replace
) -> AbstractContextManager[IO[bytes]]: ...
@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["w"], *, place: Place = Path.replace
) -> AbstractContextManager[IO[str]]: ...
@contextmanager
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb", "w"] = "wb", *, place: Place = Path.replace
) -> Iterator[IO[Any]]:
    """Open a file that gets its name only when it is complete and on disk.

    The bytes are written to `.<name>.<random>.tmp` in the same folder, flushed and synced, and the file is then renamed
    in one step. After an error or a kill the temporary file is removed and an older file of that name is unchanged;
    what a power cut leaves, the next write of that name removes.

    Parameters
    ----------
    path
        The final name; its folder must exist.
    mode
        ``"wb"`` for bytes, ``"w"`` for UTF-8 text with line ends as written.
    place
        How the complete file gets its name; by default it replaces what had that name.

    Yields
    ------
    file
        A file open for writing.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder, "mix.json"), "w") as file:
    ...         _ = file.write("[]")
    ...     os.listdir(folder)
    ['mix.json']
    """
    final = Path(path)
    text = mode == "w"
    try:
        file = open_temporary(final, "x", encoding="utf-8", newline="") if text else open_temporary(final, "xb")
    except OSError as error:
        raise InputError(f"{final}: cannot be written ({error.strerror}); check that its folder exists") from error
    temporary = Path(file.name)
    tracked = str(temporary.absolute())
    track(tracked, "file")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if os.name == "posix":  # before the lock is released, or the sweep of another run might remove it
                place(temporary, final)
        if os.name != "posix":  # where an open file cannot be renamed
            place(temporary, final)
        sweep(final)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            what = f"cannot be written ({error.strerror}), and is unchanged"
            raise InputError(f"{final}: {what}; free some space, or write elsewhere") from error
        raise
    finally:
        untrack(tracked, "file")
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    """Sync the rename itself to disk, where the system allows opening a folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_temporary(final: Path, mode: str, **knobs: Any) -> IO[Any]:
    """Create and lock `.<name>.<8 hexadecimal digits>.tmp` beside a target.

    Parameters
    ----------
    final
        The target; its folder must exist.
    mode
        ``"x"`` or ``"xb"``.
    **knobs
        Passed to `open`.

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
        if lock(file) is not False and path.exists():
            return file
        file.close()  # a sweep between creating and locking has removed it


def sweep(final: Path) -> None:
    """Remove the temporary files that killed runs have left beside a target; those of running writers stay.

    Parameters
    ----------
    final
        The target.
    """
    pattern = re.compile(rf"\.{re.escape(final.name)}\.[0-9a-f]{{8}}\.tmp")
    for path in final.parent.iterdir():
        if pattern.fullmatch(path.name):
            with suppress(OSError):  # another sweep was faster, or the file is another user's
                _remove_dead(path)


def _remove_dead(path: Path) -> None:
    """Remove a temporary file if its lock is free."""
    with path.open("r+b") as file:
        free = lock(file)
        if free or (free is None and time() - path.stat().st_mtime > STALE):
            path.unlink()


def lock(file: IO[Any]) -> bool | None:
    """Lock a file: true on success, false if another process has the lock, None if this system has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
