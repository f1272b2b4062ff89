"""The standard streams, also of a process that was started without some of them (``>&-``)."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))  # by their numbers


def open_closed() -> None:
    """Open each standard stream that is closed on nowhere, so that the work is done and no file gets its number.

    Otherwise Python has None in its place, and the next file that is opened, a mix for one, would get the number to
    which the system and compiled libraries print.
    """
    for number, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
                os.set_inheritable(number, True)  # to the processes that share the work
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  open until the end
