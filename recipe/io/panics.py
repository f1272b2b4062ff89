"""What polars prints when damage makes one of its readers panic, which is raised as an error as well."""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = RLock()  # there is one standard error


@contextmanager
def unprinted() -> Iterator[None]:
    """Send standard error to nowhere while a file is read, since Rust prints a panic before Python hears of it."""
    with _lock:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
