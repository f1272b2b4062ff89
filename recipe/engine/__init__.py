"""Map a pure function over shards: in one process, in several, or on a Ray cluster, with the same results."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, get_args

from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from recipe.engine.workers import in_processes, on_ray, usable_cores
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Function = TypeVar("Function", bound=Callable[..., object])

In = TypeVar("In")
Out = TypeVar("Out")
Name = Literal["auto", "serial", "processes", "ray"]


class Engine(NamedTuple):
    """Where the work of a job is done."""

    name: Name
    workers: int | None


MOST_WORKERS = 65_536
_BITS = 64
DEFAULT = Engine("auto", None)
_engine: ContextVar[Engine] = ContextVar("engine", default=DEFAULT)


@contextmanager
def running(name: Name = "auto", workers: int | None = None) -> Iterator[None]:
    """Choose where the work is done inside a block of code.

    Parameters
    ----------
    name
        ``"serial"``: this process, on one thread. ``"processes"``: this machine's cores. ``"ray"``: the cluster that
        Ray is connected to, else one on this machine. ``"auto"``: processes where there is more than one shard and
        core. The results are the same.
    workers
        Number of threads, processes, or Ray workers; all usable cores (or what the cluster has) by default.

    Raises
    ------
    ConfigError
        If there is no such engine, or `workers` is no count from 1 to 65,536.
    """
    if name not in get_args(Name):
        raise ConfigError(f"engine: expected one of {', '.join(get_args(Name))}, got engine={name!r}")
    if workers is not None and not (type(workers) is int and 1 <= workers <= MOST_WORKERS):
        got = "a longer integer" if isinstance(workers, int) and workers.bit_length() > _BITS else f"{workers!r:.60}"
        raise ConfigError(f"workers: expected a count from 1 to {MOST_WORKERS:,}, got workers={got}")
    token = _engine.set(Engine(name, workers))
    try:
        yield
    finally:
        _engine.reset(token)


def each(function: Callable[[In], Out], shards: Sequence[In], *, label: str, workers: int | None = None) -> list[Out]:
    """Apply a function to every shard and return the results in the order of the shards.

    Threads of this process do the work, so the function should spend its time where the global interpreter lock is
    released (BLAS, compiled kernels). BLAS runs on one thread inside each call, so that its sums have one order for any
    number of workers.

    Parameters
    ----------
    function
        Pure: its result depends on its shard local.
    shards
        What it is applied to.
    label
        Name of the stage on the progress bar, which is shown on a terminal or in a notebook only.
    workers
        Number of threads; by default the engine's, else all usable cores.

    Returns
    -------
    list
        ``[function(shard) for shard in shards]``.

    Examples
    --------
    >>> each(abs, [-1, 2, -3], label="abs")
    [1, 2, 3]
    """
    engine = _engine.get()
    wanted = workers or (1 if engine.name == "serial" else engine.workers) or usable_cores()
    threads = min(wanted, max(1, len(shards)))
    with threadpool_limits(limits=1), ThreadPoolExecutor(threads) as executor:
        return list(watched(executor.map(function, shards), len(shards), label))


def spread(function: Callable[[In], Out], shards: Sequence[In], *, label: str) -> list[Out]:
    """Apply a function to every shard by the engine's workers, and return the results in the order of the shards.

    Function, shards and results are sent between processes, so they should be small: names of files, row numbers. The
    function itself reads large data from files and writes it to files.

    Parameters
    ----------
    function
        Pure and importable: a function of a module, or a `functools.partial` of one.
    shards
        What it is applied to.
    label
        Name of the stage on the progress bar.

    Returns
    -------
    list
        ``[function(shard) for shard in shards]``.

    Examples
    --------
    >>> spread(abs, [-1, 2, -3], label="abs")
    [1, 2, 3]
    """
    engine = _engine.get()
    local = engine.name == "serial" or (engine.name == "auto" and min(usable_cores(), len(shards)) <= 1)
    run = _in_turn if local else on_ray if engine.name == "ray" else in_processes
    return list(watched(run(function, shards, engine.workers), len(shards), label))


def distributed() -> bool:
    """Return whether work may run on other machines, which cannot access this process's memory."""
    return _engine.get().name == "ray"


def _in_turn(function: Callable[[In], Out], shards: Sequence[In], workers: int | None) -> Iterator[Out]:  # noqa: ARG001  as the others
    """Run shard after shard in this process."""
    for shard in shards:
        with threadpool_limits(limits=1):
            yield function(shard)


def watched(results: Iterable[Out], total: int, label: str) -> Iterable[Out]:
    """Show a progress bar while results are computed, if standard error is a terminal or a notebook."""
    hidden = True if sys.stderr is None else None  # closed, or a program without a console
    return tqdm(results, total=total, desc=label, disable=hidden, leave=False)


def single_threaded(function: Function) -> Function:
    """Run BLAS on one thread inside a function, so that its sums have one order for any number of cores."""
    wrapped: Function = threadpool_limits.wrap(limits=1)(function)
    return wrapped
