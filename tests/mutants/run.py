"""Plant small faults, one at a time, and see which test finds each: `python tests/mutants/run.py [--only NAME]`.

The faults stand in `faults.yaml`: a file, a text of it, what stands there instead, and the tests that should notice.
Each is planted in a copy of the tree and the named tests are run there. The table that is printed says which test was
the first that fails with the fault and passes without it, or SURVIVED; the exit status is 1 if any fault survived.
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
COPIED = ("recipe", "tests", "benchmarks", "docs", "notebooks", "pyproject.toml", "README.md")
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


def first_failure(folder, tests, *, kernels=None, passed_over=()):
    """Run tests in a copy until one fails, and return its name; None if none does."""
    plain = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1", "HF_HUB_OFFLINE": "1"}
    own = {"NUMBA_CACHE_DIR": kernels} if kernels else {}
    data = {"RECIPE_DATA": os.environ.get("RECIPE_DATA", str(ROOT.parent / "shared" / "data"))}
    options = ["-x", "-q", "--no-header", "--tb=no", "-rfE", *(f"--deselect={name}" for name in passed_over)]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | data | plain | own, capture_output=True, text=True, check=False
    )
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if bool(failed) != bool(done.returncode):
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return failed and failed[1]


def planted(fault, folder, passed_over):
    """Plant a fault in a copy, run its tests, take it out again, and return the test that failed, or None."""
    file = folder / fault.file
    text, stat = file.read_text("utf-8"), file.stat()
    file.write_text(fault.planted(text), "utf-8")
    try:
        with tempfile.TemporaryDirectory() as fresh:  # what calls a changed kernel is compiled again as well
            kernels = fresh if "numba" in text else None
            return first_failure(folder, fault.tests, kernels=kernels, passed_over=passed_over)
    finally:
        file.write_text(text, "utf-8")
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def judge(fault, folder):
    """Return the first test that fails with a fault and passes without it, or SURVIVED."""
    unsound = []
    while found := planted(fault, folder, unsound):
        if first_failure(folder, [found]) is None:
            return found
        unsound.append(found)
    return SURVIVED


def main():
    """Judge the faults that are asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a fault or a room; repeatable")
    faults = load(parser.parse_args().only)
    survivors = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        copy_tree(folder)
        print("| room | fault | what it is | caught by | s |\n|---|---|---|---|---|", flush=True)  # noqa: T201  a script
        for fault in faults:
            begun = time.perf_counter()
            found = judge(fault, folder)
            survivors += found == SURVIVED
            took = time.perf_counter() - begun
            print(f"| {fault.room} | {fault.name} | {fault.what} | {found} | {took:.0f} |", flush=True)  # noqa: T201  a script
    print(f"\n{len(faults) - survivors} of {len(faults)} faults were caught")  # noqa: T201  a script
    raise SystemExit(1 if survivors else 0)


if __name__ == "__main__":
    main()
