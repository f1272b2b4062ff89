"""Map a pure function over shards, with the same result for any number of workers."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Function = TypeVar("Function", bound=Callable[..., object])

In = TypeVar("In")
Out = TypeVar("Out")


def each(function: Callable[[In], Out], shards: Sequence[In], *, label: str, workers: int | None = None) -> list[Out]:
    """Apply a function to every shard and return the results in the order of the shards.

    Threads do the work, so the function should spend its time where the interpreter's lock is released (BLAS, compiled
    kernels). BLAS runs on one thread inside each call: its sums then have one order, whatever the number of workers.

    Parameters
    ----------
    function
        Pure: its result depends on its shard alone.
    shards
        What it is applied to.
    label
        Name of the stage on the progress bar, which is shown on a terminal or in a notebook only.
    workers
        Number of threads; all usable cores by default.

    Returns
    -------
    list
        ``[function(shard) for shard in shards]``.

    Examples
    --------
    >>> each(abs, [-1, 2, -3], label="abs")
    [1, 2, 3]
    """
    threads = min(workers or usable_cores(), max(1, len(shards)))
    with threadpool_limits(limits=1), ThreadPoolExecutor(threads) as executor:
        return list(tqdm(executor.map(function, shards), total=len(shards), desc=label, disable=None, leave=False))


def single_threaded(function: Function) -> Function:
    """Run BLAS on one thread inside a function, so that its sums have one order on every number of cores."""
    wrapped: Function = threadpool_limits.wrap(limits=1)(function)
    return wrapped


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
