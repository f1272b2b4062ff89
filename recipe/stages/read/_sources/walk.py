"""Paths, folders and globs -> the files that stand there."""

from __future__ import annotations

import os
from errno import ENAMETOOLONG
from glob import escape, glob, has_magic
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from recipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def kind_of(path: Path) -> str | None:
    """Return what stands at a path: ``"file"``, ``"folder"``, or something that is neither; None for nothing."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  Path.stat is the same, and this is asked of each hit
    except (FileNotFoundError, NotADirectoryError):
        return "a link to nothing" if os.path.islink(path) else None  # noqa: PTH114
    except OSError as error:  # a name that is too long, a link to itself, a folder that may not be entered
        return f"unreadable ({error.strerror})" if error.errno != ENAMETOOLONG else None
    if S_ISDIR(mode):
        return "folder"
    return "file" if S_ISREG(mode) else "a pipe, a socket or a device"


def matches(pattern: Path) -> list[Path]:
    """List the paths that a glob matches, sorted by name; a folder is entered once, so that links make no loops."""
    _, *parts = pattern.parts
    found: dict[str, None] = {pattern.anchor: None}
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            found = {one: None for folder in found for one in _folders(folder, files=last)}
        elif has_magic(part):
            found = {one: None for folder in found for one in sorted(glob(os.path.join(escape(folder), part)))}  # noqa: PTH118, PTH207
        else:
            joined = (os.path.join(folder, part) for folder in found)  # noqa: PTH118
            found = {one: None for one in joined if os.path.lexists(one)}
    return [Path(one) for one in sorted(found)]


def _folders(folder: str, *, files: bool) -> Iterator[str]:
    """Yield a folder and all below it, each once however many links lead there; hidden ones only if they are it."""
    seen: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        try:
            found = os.stat(parent)  # noqa: PTH116
        except OSError:
            continue
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield parent
        if files:
            yield from (os.path.join(parent, name) for name in names if not name.startswith("."))  # noqa: PTH118


def walk(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Path]:
    """Yield the files of a folder and of its subfolders whose name is wanted, without hidden folders.

    Raises
    ------
    InputError
        If such a name is neither a file nor a folder.
    """
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        for name in names:
            if wanted(name):
                file = Path(parent, name)
                if (kind := kind_of(file)) not in ("file", "folder"):
                    raise InputError(f"expected files in {folder}, got {file}, which is {kind}; remove it")
                if kind == "file":
                    yield file


def is_hidden(name: str) -> bool:
    """Return whether a name is hidden, a marker such as `_SUCCESS`, or unfinished."""
    return name.startswith((".", "_")) or name.endswith(".tmp")
