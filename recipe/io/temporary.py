"""Temporary folders: gone when the run ends, however it ends."""

from __future__ import annotations

import os
import shutil
import weakref
from contextlib import suppress
from glob import escape
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO

from recipe.io.atomic import lock
from recipe.io.leftovers import track, untrack

PREFIX = "recipe-"
LOCK = ".in-use"  # locked while the owner of the folder lives


class TemporaryFolder:
    """A folder that is removed when nothing refers to it, or its process ends."""

    def __init__(self, name: str, held: IO[bytes]) -> None:
        self.name = name
        self._finalizer = weakref.finalize(self, _remove, name, held, os.getpid())

    def remove(self) -> None:
        """Remove the folder now."""
        self._finalizer()


def temporary_folder(where: Path | None = None, prefix: str = PREFIX) -> TemporaryFolder:
    """Make a temporary folder, and remove those of runs that died with all that could clean up after them.

    Parameters
    ----------
    where
        The folder to make it in; the system's for temporary files by default.
    prefix
        What its name begins with.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    parent = gettempdir() if where is None else os.fspath(where.absolute())
    for left in Path(parent).glob(f"{escape(prefix)}*/{LOCK}"):
        with suppress(OSError), left.open("r+b") as file:  # another user's, or another sweep was faster
            if lock(file):
                shutil.rmtree(left.parent, ignore_errors=True)
    while True:
        name = mkdtemp(prefix=prefix, dir=parent)
        track(name, "folder")
        held = Path(name, LOCK).open("xb")  # noqa: SIM115  open as long as the folder is in use
        if lock(held) is not False and Path(name, LOCK).exists():
            return TemporaryFolder(name, held)
        held.close()  # a sweep between creating and locking has removed it
        untrack(name, "folder")


def _remove(name: str, held: IO[bytes], owner: int) -> None:
    """Remove a folder, in the process that made it."""
    if os.getpid() == owner:
        shutil.rmtree(name, ignore_errors=True)
        untrack(name, "folder")
    held.close()
