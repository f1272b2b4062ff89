"""How long each stage of a job takes."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stage(NamedTuple):
    """A stage that ended."""

    name: str
    seconds: float


_listener: ContextVar[list[Stage] | None] = ContextVar("listener", default=None)


@contextmanager
def timed() -> Iterator[list[Stage]]:
    """Collect the times of the stages that end inside a block of code, in the order in which they end.

    Yields
    ------
    list of Stage
        Filled while the block runs.

    Examples
    --------
    >>> with timed() as stages:
    ...     with stage("read"):
    ...         pass
    >>> stages[0].name
    'read'
    """
    stages: list[Stage] = []
    token = _listener.set(stages)
    try:
        yield stages
    finally:
        _listener.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a block of code as a stage, for `timed`."""
    start = perf_counter()
    yield
    stages = _listener.get()
    if stages is not None:
        stages.append(Stage(name, perf_counter() - start))
