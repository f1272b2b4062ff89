"""Processes and Ray workers: both map pure functions over shards, and retry a shard whose worker died."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from threadpoolctl import threadpool_limits

from recipe.errors import MissingExtra, WorkerError
from recipe.io.leftovers import tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

In = TypeVar("In")
Out = TypeVar("Out")

TRIES = 4  # how often a shard is tried before an error is raised
LOOK = 0.25  # seconds between two looks of a worker whether its parent lives
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl
_waiting: list[Any] = []  # the executor of the last call, whose processes wait for the next call
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")


def in_processes(function: Callable[[In], Out], shards: Sequence[In], workers: int | None) -> Iterator[Out]:
    """Run shards in processes of this machine, which are kept for the next call; results come in order.

    loky neither forks a process that has threads, nor imports the user's script again, so that scripts need no
    ``if __name__ == "__main__"``.

    Parameters
    ----------
    function
        Importable.
    shards
        What it is applied to.
    workers
        Number of processes; all usable cores by default.

    Yields
    ------
    object
        The result of each shard.

    Raises
    ------
    WorkerError
        If a shard's worker died several times, or the function cannot be sent to it.
    """
    from loky import get_reusable_executor  # noqa: PLC0415  where processes are asked for
    from loky.process_executor import BrokenProcessPool, PicklingError  # noqa: PLC0415

    count = min(workers or usable_cores(), max(1, len(shards)))
    tracker()  # before loky starts it, to be quiet
    done = 0
    for attempt in range(TRIES):
        executor = get_reusable_executor(
            max_workers=count, timeout=60, env=_ONE_THREAD, initializer=_begin, initargs=_parent()
        )
        _waiting[:] = [executor]
        try:
            futures = [executor.submit(_alone, function, shard) for shard in shards[done:]]
            for future in futures:
                with warnings.catch_warnings():
                    # loky restarts a process that uses too much memory, as intended
                    warnings.filterwarnings("ignore", "A worker was restarted", UserWarning)
                    result = future.result()
                yield result
                done += 1
        except PicklingError as error:
            executor.shutdown(wait=False, kill_workers=True)
            why = str(error.__cause__ or error).strip(' \n"').splitlines()[-1]
            what = f"what a worker process is to run cannot be sent to it ({why:.200})"
            raise WorkerError(
                f"{what}; keep open files, locks and models out of the object, or use engine=serial"
            ) from error
        except BrokenProcessPool as error:
            if "un-serialize" in str(error):  # the process lives, and said what it could not load
                why = str(error.__cause__).strip(' \n"').splitlines()[-1]
                what = f"what a worker process is to run, or what it returns, cannot be loaded ({why:.200})"
                raise WorkerError(f"{what}; put it in a module that is installed, or use engine=serial") from error
            if attempt == TRIES - 1:
                what = f"shard {done} of {len(shards)} lost its process {TRIES} times"
                raise WorkerError(f"{what} (killed, or out of memory); use fewer workers") from error
        except BaseException:
            executor.shutdown(wait=False, kill_workers=True)
            raise
        else:
            return


def dismiss() -> None:
    """Stop the processes that wait for more work: they use memory that stages of one process need."""
    while _waiting:
        _waiting.pop().shutdown(wait=True)


def kill() -> None:
    """Kill the processes of this one at once, which is about to end."""
    for executor in _waiting:
        for process in list((executor._processes or {}).values()):  # noqa: SLF001  loky has no public way without waiting
            with suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)


def _parent() -> tuple[int, bool]:
    """Return what a worker needs to notice that this process died: its id, and whether its main thread starts it."""
    return os.getpid(), threading.current_thread() is threading.main_thread()


def _begin(parent: int, by_main_thread: bool) -> None:
    """Prepare a worker: it ends with its parent, which alone is asked to stop by Ctrl-C.

    On Linux the system kills the worker, even in the middle of a long call; but it does so when the *thread* that
    started the worker ends, so only workers of the main thread ask for it. All look for their parent themselves.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if by_main_thread and sys.platform == "linux":
        import ctypes  # noqa: PLC0415  needed here only

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.name == "posix":
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this worker when its parent has ended."""
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)


def on_ray(function: Callable[[In], Out], shards: Sequence[In], workers: int | None) -> Iterator[Out]:
    """Run shards on a Ray cluster by actors that live as long as the call; results come in order.

    An actor keeps what it has loaded (a model, a mapped matrix) from shard to shard, and has its own GPU if the cluster
    has any. One that dies is restarted, and its shard is run again.

    Parameters
    ----------
    function
        Importable on every node.
    shards
        What it is applied to.
    workers
        Number of actors; as many as the cluster has CPUs (or GPUs, if it has any) by default.

    Yields
    ------
    object
        The result of each shard.

    Raises
    ------
    MissingExtra
        If Ray is not installed.
    WorkerError
        If a shard's worker died several times.
    """
    try:
        import ray  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtra.of("ray", "engine='ray' needs Ray") from error
    if not ray.is_initialized():
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, configure_logging=False)
    cluster: Any = ray
    has = cluster.cluster_resources()
    gpus = int(has.get("GPU", 0))
    count = min(workers or gpus or int(has.get("CPU", 1)), max(1, len(shards)))
    share = {"num_gpus": gpus / count} if gpus else {"num_cpus": 1}
    actor = ray.remote(max_restarts=-1, max_task_retries=TRIES - 1, **share)(_Actor)
    actors = [actor.remote() for _ in range(count)]
    try:
        yield from _served(ray, actors, function, shards)
    finally:
        for one in actors:
            cluster.kill(one)


def nodes() -> int:
    """Return how many machines the Ray cluster has that this process is connected to; 1 without one."""
    ray = sys.modules.get("ray")
    return sum(node["Alive"] for node in ray.nodes()) if ray is not None and ray.is_initialized() else 1


def _served(ray: Any, actors: list[Any], function: Callable[[In], Out], shards: Sequence[In]) -> Iterator[Out]:
    """Run shards by a pool of actors, each when one is free, and yield the results in order."""
    from ray.util import ActorPool  # noqa: PLC0415  an extra

    pool = ActorPool(actors)
    begun: dict[int, Any] = {}
    results: dict[int, Out] = {}

    def begin(actor: Any, number: int) -> Any:
        begun[number] = actor.run.remote(function, number, shards[number])
        return begun[number]

    for number in range(len(shards)):
        pool.submit(begin, number)
    for wanted in range(len(shards)):
        while wanted not in results:  # unordered, so that a slow shard keeps no actor waiting
            try:
                number, result = pool.get_next_unordered()
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except ray.exceptions.RayActorError as error:
                lost = next(number for number, future in begun.items() if _is_lost(ray, future))
                what = f"shard {lost} of {len(shards)} lost its worker {TRIES} times"
                raise WorkerError(f"{what} (killed, or out of memory); use fewer workers") from error
            results[number] = result
            del begun[number]
        yield results.pop(wanted)


def _is_lost(ray: Any, future: Any) -> bool:
    """Return whether a shard failed because its worker died."""
    try:
        ray.get(future, timeout=0)
    except ray.exceptions.RayActorError:
        return True
    except ray.exceptions.RayError:  # still running, or an error of its own
        return False
    return False


class _Actor:
    """A Ray worker."""

    def __init__(self) -> None:
        os.environ.update(_ONE_THREAD)

    def run(self, function: Callable[[In], Out], number: int, shard: In) -> tuple[int, Out]:
        """Run one shard, and return its number with the result."""
        return number, _alone(function, shard)


def _alone(function: Callable[[In], Out], shard: In) -> Out:
    """Run one shard with BLAS on one thread."""
    with threadpool_limits(limits=1):
        return function(shard)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
