"""A command that is asked to stop (SIGINT, SIGTERM) ends within two seconds and leaves no process or file behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from recipe.cli._terminal import CONTROL
from recipe.engine.workers import kill
from recipe.io.cache import last_opened
from recipe.io.leftovers import remove_open

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

GRACE = 0.8  # seconds that the main thread has to unwind; it may be inside a long call of compiled code
_SHELL = 128  # a shell's exit code for a signal is this and its number
_received: list[int] = []
_ending = threading.Lock()


@contextmanager
def ends_promptly() -> Iterator[None]:
    """End the process within two seconds of SIGINT or SIGTERM, inside a block of the main thread."""
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _unwind) for number in (signal.SIGINT, signal.SIGTERM)}
    read, write = os.pipe()
    os.set_blocking(write, False)
    woken = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(read,), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        if _received:
            _end(_received[0])
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(write, b"\0")
        watcher.join()
        os.close(read)
        os.close(write)


def _unwind(number: int, _: FrameType | None) -> None:
    """Unwind the main thread, as soon as it is back in Python."""
    if not _received:
        _received.append(number)
        raise SystemExit(_SHELL + number)


def _watch(read: int) -> None:
    """Wait for a signal, which the system writes to a pipe even while the main thread is busy, and see the end come."""
    while number := os.read(read, 1)[0]:
        if number in (signal.SIGINT, signal.SIGTERM):
            time.sleep(GRACE)
            _end(number)


def _end(number: int) -> NoReturn:
    """Say what was kept, clean up, and end the process without waiting for its threads."""
    _ending.acquire()  # never released: the first thread ends the process
    try:
        kill()
        remove_open()
        cache = last_opened()
        kept = f"the cache {cache} holds what was done, and the same command goes on from there"
        what = kept if cache else "nothing was kept, as there was no cache"
        line = CONTROL.sub("?", f"recipe: stopped by {signal.Signals(number).name}; {what}")
        os.write(2, f"{line}\n".encode(errors="replace"))
    finally:
        os._exit(_SHELL + number)
