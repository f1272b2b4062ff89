"""A run that is killed, or asked to stop, is gone at once with all it started; the next run gives the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kills import ENDS, Runs, files

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="tells processes apart by /proc")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = Runs(tmp_path_factory.mktemp("kills"))
    run = runs.start(runs.folder / "whole")
    assert run.wait(120) == 0, run.stderr.read().decode()
    run.stderr.close()
    runs.whole = files(runs)
    return runs


def wait_until_begun(runs, run, *, workers):
    """Wait until a run listens to signals, and its workers have begun where it should have some."""
    listens = 1 << (signal.SIGTERM - 1)
    while run.poll() is None:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{run.pid}/status").read_text().splitlines())
        if int(status.get("SigCgt", "0"), 16) & listens and (runs.workers() or not workers):
            break
        time.sleep(0.005)
    time.sleep(0.2)
    assert run.poll() is None


@pytest.mark.parametrize(
    ("name", "cached", "group"), [("KILL", True, False), ("TERM", True, False), ("INT", False, True)]
)
def test_a_run_that_ends_leaves_nothing(runs, name, cached, group):
    """No process, temporary file or shared memory is left; a run that is asked to stop says in a line what was kept."""
    number, cache = signal.Signals[f"SIG{name}"], runs.folder / name
    run = runs.start(cache if cached else "off")
    wait_until_begun(runs, run, workers=cached)
    code, took, left, said = runs.end(run, number, group=group)
    assert (code, left) == (ENDS[number], [])
    assert files(runs) == runs.whole
    assert runs.source_files() == runs.before
    if number != signal.SIGKILL:
        assert took < 2
        kept = f"the cache {cache} holds" if cached else "nothing was kept"
        assert said.startswith(f"recipe: stopped by {number.name}; {kept}")
        assert said.count("\n") == 1


@pytest.mark.parametrize("command", ["select", "score", "compare"])
@pytest.mark.parametrize("cached", [True, False])
def test_a_command_that_is_stopped_before_it_reads_names_its_cache(tmp_path, command, cached):
    """The line says that the cache holds what was done before any stage of this run has opened it."""
    code = f"""
import os, sys
import recipe.config.recipe as module
from recipe.cli import main
module.Recipe.of = classmethod(lambda *given, **knobs: os.kill(os.getpid(), {signal.SIGTERM.value}))
module.Recipe.__init__ = lambda self, **knobs: os.kill(os.getpid(), {signal.SIGTERM.value})
sys.argv = ["recipe", "{command}", "pool", "--cache", "{"kept" if cached else "off"}"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == ENDS[signal.SIGTERM]
    kept = f"the cache {tmp_path / 'kept'} holds what was done" if cached else "nothing was kept"
    assert done.stderr.startswith(f"recipe: stopped by SIGTERM; {kept}")
    assert done.stderr.count("\n") == 1


def test_a_run_that_is_killed_while_it_writes_is_repeated_without_force(runs):
    """Each file that stands is whole; the next run adds the others, and needs no word that they may be replaced."""
    for path in runs.out.parent.iterdir():
        path.unlink()
    run = runs.start(runs.folder / "whole")
    while run.poll() is None and not list(runs.out.parent.iterdir()):
        time.sleep(0.001)
    _, _, left, _ = runs.end(run, signal.SIGKILL)
    assert left == []
    assert files(runs).items() <= runs.whole.items()
    for name in list(files(runs))[::2]:  # as if it had been killed between two of them
        if name != "mix.manifest.json":
            (runs.out.parent / name).unlink()
    run = runs.start(runs.folder / "whole")
    assert run.wait(120) == 0, run.stderr.read().decode()
    run.stderr.close()
    assert files(runs) == runs.whole


def test_a_run_goes_on_where_it_was_stopped_though_a_worker_is_killed(runs):
    """The cache of a stopped run and the loss of a worker change no byte."""
    for path in runs.out.parent.iterdir():
        path.unlink()
    run = runs.start(runs.folder / "TERM")
    while run.poll() is None and not runs.workers():
        time.sleep(0.01)
    for pid in runs.workers()[:1]:
        os.kill(pid, signal.SIGKILL)
    assert run.wait(120) == 0, run.stderr.read().decode()
    run.stderr.close()
    assert files(runs) == runs.whole
    assert runs.leftovers() == []
