"""Plant small faults, one at a time, and see which test finds each: `python tests/mutants/run.py [--only NAME]`.

The faults stand in `faults.yaml`: a file, a text of it, what stands there instead, and the tests that should notice.
Each is planted in a copy of the tree and the named tests are run there, but for those that fail without it as well. The
table that is printed says which test failed first, or SURVIVED; the exit status is 1 if any fault survived.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("faults.yaml")
COPIED = ("recipe", "tests", "benchmarks", "notebooks", "pyproject.toml", "README.md")
SURVIVED = "SURVIVED"


class Fault(NamedTuple):
    """A small fault, and where it should be noticed."""

    name: str
    room: str
    what: str
    file: str
    old: str
    new: str
    tests: list[str]

    def planted(self, text):
        """Return a text with the fault in it."""
        if text.count(self.old) != 1:
            raise SystemExit(f"{self.name}: expected its text once in {self.file}, got {text.count(self.old)} times")
        return text.replace(self.old, self.new)


def load(only):
    """Read the faults, all or those whose name or room is asked for."""
    faults = [Fault(**entry) for entry in yaml.safe_load(TABLE.read_text("utf-8"))]
    chosen = [fault for fault in faults if not only or fault.name in only or fault.room in only]
    if not chosen:
        raise SystemExit(f"expected one of {', '.join(fault.name for fault in faults)}, got {', '.join(only)}")
    for fault in chosen:
        fault.planted((ROOT / fault.file).read_text("utf-8"))
    return chosen


def copy_tree(folder):
    """Copy the tree with its compiled kernels, whose sources keep their times, and without Python's bytecode."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.pyc", ".hypothesis"))
        elif source.is_file():
            shutil.copy2(source, folder / name)


def run_tests(folder, tests, *, kernels=None, passed_over=None):
    """Run tests in a copy, until one fails if some are passed over; return the names of those that failed."""
    plain = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1", "HF_HUB_OFFLINE": "1"}
    own = {"NUMBA_CACHE_DIR": str(kernels)} if kernels else {}
    data = {"RECIPE_DATA": os.environ.get("RECIPE_DATA", str(ROOT.parent / "shared" / "data"))}
    stops = [] if passed_over is None else ["-x", *(f"--deselect={name}" for name in passed_over)]
    command = [sys.executable, "-m", "pytest", *stops, "-q", "--no-header", "--tb=no", "-rfE", *tests]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | data | plain | own, capture_output=True, text=True, check=False
    )
    failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if bool(failed) != bool(done.returncode):
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return failed


def judge(fault, folder, passed_over):
    """Plant a fault in a copy, run its tests, take it out again, and return the test that failed, or SURVIVED."""
    file = folder / fault.file
    text, stat = file.read_text("utf-8"), file.stat()
    file.write_text(fault.planted(text), "utf-8")
    try:
        with tempfile.TemporaryDirectory() as kernels:  # what calls a changed kernel is compiled again as well
            own = kernels if "numba" in text else None
            return [*run_tests(folder, fault.tests, kernels=own, passed_over=passed_over), SURVIVED][0]
    finally:
        file.write_text(text, "utf-8")
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def main():
    """Judge the faults that are asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a fault or a room; repeatable")
    faults = load(parser.parse_args().only)
    survivors = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        copy_tree(folder)
        failing = run_tests(folder, sorted({test for fault in faults for test in fault.tests}))
        for name in failing:
            print(f"passed over, for it fails without a fault as well: {name}", flush=True)  # noqa: T201  a script
        print("| room | fault | what it is | caught by | s |\n|---|---|---|---|---|", flush=True)  # noqa: T201  a script
        for fault in faults:
            begun = time.perf_counter()
            found = judge(fault, folder, failing)
            survivors += found == SURVIVED
            took = time.perf_counter() - begun
            print(f"| {fault.room} | {fault.name} | {fault.what} | {found} | {took:.0f} |", flush=True)  # noqa: T201  a script
    print(f"\n{len(faults) - survivors} of {len(faults)} faults were caught")  # noqa: T201  a script
    raise SystemExit(1 if survivors else 0)


if __name__ == "__main__":
    main()
