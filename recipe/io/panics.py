"""Damage that makes a reader of polars panic is an error like any other."""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = RLock()  # there is one standard error


@contextmanager
def unprinted() -> Iterator[None]:
    """Turn a panic while a file is read into a ValueError, and print nothing of it.

    Standard error goes to nowhere meanwhile, since Rust prints a panic before Python hears of it.
    """
    with _lock:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed
            kept = None
        try:
            if kept is not None:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)
            yield
        except pl.exceptions.PanicException as error:
            raise ValueError(" ".join(str(error).split())) from error
        finally:
            if kept is not None:
                os.dup2(kept, 2)
                os.close(kept)
