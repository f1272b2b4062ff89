"""Hashes of files by their content."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.errors import InputError
from recipe.io.regular import regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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


class Seen(NamedTuple):
    """A file at one time."""

    path: str
    state: tuple[int, ...]
    sha256: str
    settled: bool
    """Whether any later edit gives it another state; otherwise its bytes are compared again."""

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.state[0]


def see(path: str | os.PathLike[str]) -> Seen:
    """Hash a file that is about to be read, so that `check_unchanged` can tell afterwards that these bytes were read.

    Raises
    ------
    InputError
        If the file cannot be read, or changes while it is hashed.
    """
    try:
        state = state_of(path)
        settled = is_settled(state)
        seen = Seen(os.fspath(path), state, sha256(path), settled)
        if state_of(path) == state:
            return seen
    except OSError as error:
        raise _unread(path, error) from error
    raise InputError(f"{os.fspath(path)}: it changed while it was read; run again when nothing writes to it")


def check_unchanged(seen: Iterable[Seen]) -> None:
    """Raise unless files are what they were; their bytes are compared only if their state has changed.

    Raises
    ------
    InputError
        If one has other bytes, or is gone.
    """
    for one in seen:
        try:
            now = state_of(one.path)
            if (now == one.state and one.settled) or _sha256_at(one.path, now) == one.sha256:
                continue
            got = f"{one.size} bytes before and {now[0]} after, SHA-256 {one.sha256[:12]} and {sha256(one.path)[:12]}"
        except OSError as error:
            got = f"it cannot be read any more ({error.strerror})"
        raise InputError(f"{one.path}: it changed while it was read ({got}); run again when nothing writes to it")


def _sha256_at(path: str, state: tuple[int, ...]) -> str:
    """Hash a file in a state; once in each process, where the state tells of every edit."""
    return _settled_sha256(path, state) if is_settled(state) else sha256(path)


@lru_cache(maxsize=256)
def _settled_sha256(path: str, _: tuple[int, ...]) -> str:
    """Hash a file whose state tells of every edit."""
    return sha256(path)


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
        regular(path)
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unread(path, error) from error


def _unread(path: str | os.PathLike[str], error: OSError) -> InputError:
    """Return the error for a file that cannot be read."""
    return InputError(f"{os.fspath(path)}: cannot be read ({error.strerror}); check that it exists and is readable")


def see_files(knobs: Mapping[str, Any], known: Mapping[str, Seen] | None = None) -> dict[str, Seen]:
    """Hash the files that knobs name, alone or in a list.

    Parameters
    ----------
    knobs
        Name to value; a value that is not the path of a file is ignored.
    known
        Files that were hashed before, by path.

    Returns
    -------
    dict
        Name of the knob, in a list with the path, to the file.
    """
    known, found = known or {}, {}
    for name, value in knobs.items():
        for path in value if isinstance(value, list | tuple) else [value]:
            if isinstance(path, str | Path) and (str(path) in known or Path(path).is_file()):
                found[name if path is value else f"{name}: {path}"] = known.get(str(path)) or see(path)
    return found
