"""Laws of the engines: each gives the same results, and a worker that dies is replaced."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.engine import distributed, each, running, spread
from recipe.errors import ConfigError, SupplyError, WorkerError

ENGINES = ["serial", "processes", "ray"]


@pytest.fixture(scope="module")
def cluster():
    """Start a Ray cluster of two workers on this machine."""
    ray = pytest.importorskip("ray")
    ray.shutdown()  # another test of this process may have left a cluster of its own
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield ray
    ray.shutdown()


@given(st.lists(st.integers()), st.sampled_from(["auto", "serial"]), st.integers(1, 3))
def test_maps_agree_with_a_loop(shards, engine, workers):
    """Both maps return what a plain loop does, in its order."""
    with running(engine, workers):
        assert each(abs, shards, label="") == spread(abs, shards, label="") == [abs(shard) for shard in shards]


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(), max_size=20), st.integers(1, 3))
def test_processes_agree_with_a_loop(shards, workers):
    """Processes return what a plain loop does, in its order, however many they are."""
    with running("processes", workers):
        assert spread(abs, shards, label="") == [abs(shard) for shard in shards]


def test_ray_agrees_with_a_loop(cluster):  # noqa: ARG001  it is started
    """Ray workers return what a plain loop does, in its order, and know that they may be on other machines."""
    with running("ray", 2):
        assert distributed()
        assert spread(abs, range(-20, 20), label="") == [abs(shard) for shard in range(-20, 20)]
    assert not distributed()


def once_deadly():
    """Make a function that kills its process the first time it sees 3."""

    def square(folder, number):
        mark = Path(folder, "killed")
        if number == 3 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2

    return square


@pytest.mark.parametrize("engine", ["processes", "ray"])
def test_a_worker_that_dies_is_replaced(engine, tmp_path, cluster):  # noqa: ARG001  it is started
    """A worker is killed in the middle of a shard: the results are as if nothing had happened."""
    with running(engine, 2):
        assert spread(partial(once_deadly(), tmp_path), range(8), label="") == [n**2 for n in range(8)]
    assert (tmp_path / "killed").exists()


@pytest.mark.parametrize("engine", ["processes", "ray"])
def test_a_shard_that_kills_every_worker_is_an_error(engine, cluster):  # noqa: ARG001  it is started
    """A shard that no worker survives is named, and does not run for ever."""

    def deadly(number):
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with running(engine, 2), pytest.raises(WorkerError, match="shard 1 of 3"):
        spread(deadly, range(3), label="")


@pytest.mark.parametrize("engine", ENGINES)
def test_errors_come_back_as_they_are(engine, cluster):  # noqa: ARG001  it is started
    """An error of the library that a worker raises reaches the caller with its type and its words."""

    def poor(_):
        raise SupplyError("size=3: too few")

    with running(engine, 2), pytest.raises(SupplyError, match=r"^size=3: too few$"):
        spread(poor, [1, 2], label="")


@pytest.mark.parametrize(("engine", "workers"), [("threads", None), ("serial", 0)])
def test_unknown_engines_are_refused(engine, workers):
    """A name that is no engine, or no worker at all, is an error that says what there is."""
    with pytest.raises(ConfigError, match="expected"), running(engine, workers):
        pass
