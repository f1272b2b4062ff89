"""Hashes of files by their content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any

from recipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


SETTLED = (
    50_000_000  # nanoseconds: a clock of files ticks every few milliseconds, and an edit in one tick leaves no trace
)


def state_of(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """Return what changes with any edit of a file: its size, its times of change, and its number on the disk.

    The second time is set by the system at each change, so setting back the first one does not hide an edit.

    Raises
    ------
    OSError
        If there is no such file.
    """
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def is_settled(state: tuple[int, ...]) -> bool:
    """Return whether a file changed long enough ago that any later edit gives it another state."""
    return time_ns() - max(state[1:3]) > SETTLED


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes.

    Parameters
    ----------
    path
        A file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{os.fspath(path)}: cannot be read ({error.strerror}); check that it exists and is readable"
        ) from error


def file_hashes(knobs: Mapping[str, Any]) -> dict[str, str]:
    """Hash the files that knobs name, alone or in a list.

    Parameters
    ----------
    knobs
        Name to value; a value that is not the path of a file is ignored.

    Returns
    -------
    dict
        Name of the knob, in a list with the path, to SHA-256.
    """
    hashes: dict[str, str] = {}
    for name, value in knobs.items():
        for path in value if isinstance(value, list | tuple) else [value]:
            if isinstance(path, str | Path) and Path(path).is_file():
                hashes[name if path is value else f"{name}: {path}"] = sha256(path)
    return hashes
