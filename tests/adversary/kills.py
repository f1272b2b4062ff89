"""Runs that are killed at random moments: `python tests/adversary/kills.py --kills 50 --seed 0 [SOURCE ...]`."""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from recipe import demo

MARK = "RECIPE_RUN"  # in the environment of a run, and so of all processes that it starts
GONE = 3.0  # seconds after the end of a run until nothing may be left of it
ENDS = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}


class Runs:
    """A folder with sources, and runs of `recipe select` on them that are killed."""

    def __init__(self, folder, sources=(), size="0.2"):
        self.folder, self.out, self.temporary = folder, folder / "out" / "mix.json", folder / "tmp"
        self.out.parent.mkdir()
        self.temporary.mkdir()
        self.sources = [Path(one) for one in sources]
        if not sources:
            demo.write_demo(folder / "pool", images=40)
            self.sources = [folder / "pool"]
        self.size = size
        self.before = self.source_files()
        self.number = 0

    def source_files(self):
        """Return a hash of each source file."""
        files = [file for one in self.sources for file in ([one] if one.is_file() else sorted(one.rglob("*")))]
        return {file: hashlib.sha256(file.read_bytes()).digest() for file in files if file.is_file()}

    def start(self, cache="off"):
        """Start a run whose processes can be told from all others."""
        self.number += 1
        self.mark = f"{MARK}={self.folder}-{self.number}"
        command = [sys.executable, "-m", "recipe", "select", *map(str, self.sources), "--size", self.size]
        command += ["--engine", "processes", "--workers", "2", "--cache", str(cache), "--out", str(self.out)]
        environment = os.environ | {MARK: self.mark.partition("=")[2], "TMPDIR": str(self.temporary)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self.seen = set()
        return subprocess.Popen(command, env=environment, start_new_session=True, **quiet)

    def processes(self):
        """Return the processes of the last run that live."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        self.seen.update(found)
        return found

    def workers(self):
        """Return loky's workers of the last run."""
        return [pid for pid in self.processes() if b"popen_loky" in self.command(pid)]

    @staticmethod
    def command(pid):
        """Return the command line of a process, empty if it has ended."""
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        return b""

    def leftovers(self):
        """Return the temporary files of the last run, wherever it may have made some."""
        files = [str(path) for path in self.temporary.iterdir()]
        files += [str(path) for path in self.folder.rglob("*.tmp")]
        files += [str(path) for path in self.out.parent.glob(".*")]
        shared = Path("/dev/shm")
        marks = [f"-{pid}-" for pid in self.seen]
        return files + [path.name for path in shared.glob("*") if any(mark in path.name for mark in marks)]

    def end(self, run, number, *, group=False):
        """Send a signal, and return the exit code, the seconds until it ended, what is left after, and its words."""
        self.processes()
        began = time.monotonic()
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(run.pid, number)
        run.wait(60)
        took = time.monotonic() - began
        while (orphans := self.processes()) and time.monotonic() - began - took < GONE:
            time.sleep(0.05)
        said = "" if orphans else run.stderr.read().decode()
        run.stderr.close()
        return run.returncode, took, [*orphans, *self.leftovers()], said


def files(runs):
    """Return the bytes of the mix and of all that lies beside it."""
    return {path.name: path.read_bytes() for path in runs.out.parent.iterdir() if path.is_file()}


def kill_runs(runs, kills, seed):
    """Kill so many runs at random moments; return counts of what came, with a line for each thing that went wrong.

    Half of them write where nothing stands, the others where the one before was killed. A run that has ended before its
    moment is not one of them.
    """
    rng, counts, wrong, slow = random.Random(seed), Counter(), [], 0.0
    run = runs.start(runs.folder / "whole")
    began = time.monotonic()
    assert run.wait(600) == 0, run.stderr.read().decode()
    lasts, whole = time.monotonic() - began, files(runs)
    number = 0
    while number < kills:
        wanted = rng.choice(list(ENDS))
        cache = "off" if rng.random() < 0.5 else runs.folder / f"cache {number // 10}"
        for file in runs.out.parent.iterdir() if rng.random() < 0.5 else ():
            file.unlink()
        run = runs.start(cache)
        moment = rng.uniform(0.5, 1.02 * lasts)
        with suppress(subprocess.TimeoutExpired):
            run.wait(moment)
        code, took, left, said = runs.end(run, wanted)
        early = code in (-signal.SIGTERM, -signal.SIGINT)
        counts["ended before" if code == 0 else f"{wanted.name} {'at start' if early else code}"] += 1
        number += code != 0
        if code not in (0, ENDS[wanted], -wanted) or left or (code > 0 and (took > 2 or len(said.splitlines()) != 1)):
            wrong.append(f"{wanted.name} after {moment:.2f} s: exit {code} in {took:.2f} s, left {left}, said {said!r}")
        if not files(runs).items() <= whole.items():
            wrong.append(f"{wanted.name} after {moment:.2f} s: other files stand in the place of the mix")
        slow = max(slow, took)
    run = runs.start(runs.folder / "cache 0")
    assert run.wait(600) == 0, run.stderr.read().decode()
    if files(runs) != whole:
        wrong.append("the last run gave other bytes")
    if runs.source_files() != runs.before:
        wrong.append("a source has changed")
    return counts, wrong, slow


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="0.2")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found, faults, slowest = kill_runs(Runs(Path(scratch), given.sources, given.size), given.kills, given.seed)
    print(dict(found), f"slowest end {slowest:.2f} s", f"{len(faults)} faults", *faults, sep="\n")  # noqa: T201  a script
    sys.exit(bool(faults))
