"""Temporary files of a process that is killed: loky's resource tracker, which outlives it, removes them at once."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

Kind = Literal["file", "folder"]

_open: dict[str, Kind] = {}  # the temporary files and folders of this process
_QUIET = "ignore:resource_tracker:UserWarning"  # or each file that it removes would be a line on standard error


def track(path: str, kind: Kind) -> None:
    """Let a file or folder be removed when this process and all its workers have ended, however they ended.

    Parameters
    ----------
    path
        Absolute. Longer ones than the tracker takes (about 500 bytes) stay until the next write of that name.
    kind
        ``"file"`` or ``"folder"``.
    """
    _open[path] = kind
    with suppress(ValueError, OSError):
        tracker().register(path, kind)


def untrack(path: str, kind: Kind) -> None:
    """Take back `track`, once the file or folder is gone or has its final name."""
    if _open.pop(path, None):
        with suppress(ValueError, OSError):
            tracker().unregister(path, kind)


def remove_open() -> None:
    """Remove the temporary files and folders of this process, which is about to end."""
    for path, kind in list(_open.items()):
        if kind == "folder":
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                Path(path).unlink()


@cache
def tracker() -> Any:
    """Return loky's resource tracker, which is one process for this one and its workers."""
    from loky.backend import resource_tracker  # noqa: PLC0415  takes 0.1 s to load

    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{before},{_QUIET}" if before else _QUIET
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before
    return resource_tracker


def forget() -> None:
    """Forget the parent's files in a process that was forked from it."""
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)
