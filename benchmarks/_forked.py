"""Run a function in a forked child, and measure its time and the memory that it alone needs.

Memory, the same for everything measured: the child is forked from a process that already holds the input, imports and
warms up what it runs, gives back what is free, resets the kernel's high-water mark of its resident memory, and runs.
`peak_mb` is that mark at the end less the resident memory at the start, so input, interpreter and libraries do not
count, and every array made on the way does. Where the function starts processes of its own, the largest sum of their
anonymous memory, looked at twenty times a second, is added.
"""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress
from multiprocessing import get_context
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from _machine import MB, descendants, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    Prepare = Callable[[], Callable[[], Any]]

LOOK = 0.05  # seconds between looks at the memory of processes below the child


class Measured(NamedTuple):
    """The result of a run."""

    seconds: float
    peak_mb: float
    result: Any
    error: str | None = None


def measured(prepare: Prepare) -> Measured:
    """Prepare in a forked child, unmeasured, and run what is returned, measured.

    Parameters
    ----------
    prepare
        Imports and warms up, and returns the function to measure; what that returns must be picklable.

    Returns
    -------
    Measured
        Seconds, memory and result; or an error, where either function raised or the child was killed.
    """
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(prepare, theirs))
    child.start()
    theirs.close()
    below = 0
    while not ours.poll(LOOK):
        below = max(below, sum(status(pid, "RssAnon") for pid in descendants(child.pid or 0)))
    try:
        result: Measured = ours.recv()
    except EOFError:
        result = Measured(0.0, 0.0, None, "the process was killed, most likely for want of memory")
    child.join()
    return result._replace(peak_mb=result.peak_mb + below / MB)


def _run(prepare: Prepare, pipe: Connection) -> None:
    """Do the work of the child."""
    try:
        run = prepare()
        _reset_peak()
        before, begin = status(os.getpid(), "VmRSS"), perf_counter()
        result = run()
        seconds, peak = perf_counter() - begin, status(os.getpid(), "VmHWM")
        pipe.send(Measured(seconds, max(0, peak - before) / MB, result))
    except Exception as error:  # noqa: BLE001  whatever a peer raises is reported in the table
        pipe.send(Measured(0.0, 0.0, None, f"{type(error).__name__}: {error}"))


def _reset_peak() -> None:
    """Give free memory back, and set the kernel's high-water mark of resident memory to what is resident now."""
    gc.collect()
    with suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123  a file of the kernel's
        file.write("5")
