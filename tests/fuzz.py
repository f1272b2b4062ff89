# ruff: noqa: T201  a script that prints
"""Try odd inputs for some minutes: `python tests/fuzz.py --target manifest --minutes 5 --seed 0`.

A target is a file of `tests/fuzzers`: `prepare` makes what it needs in a folder, and `attempt` tries one odd input.
Only a RecipeError of one line may come out, within 10 seconds and 2 GB. What breaks this is kept with its folder, and
the exit status is 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from recipe.errors import RecipeError

SECONDS, MEGABYTES = 10, 2048
TARGETS = sorted(file.stem for file in Path(__file__).parent.glob("fuzzers/*.py") if "def attempt(" in file.read_text())


class Slow(BaseException):
    """An input that takes too long; no Exception, so that nothing catches it on its way."""


def interrupt(*_):
    """Interrupt an input that takes too long."""
    raise Slow(f"more than {SECONDS} s")


def tried(target, rng, state, folder):
    """Try one input, and return the error that must not come out, if there was one."""
    if not hasattr(target, "OWN_LIMITS"):
        faulthandler.dump_traceback_later(3 * SECONDS, exit=True)  # for code that no signal interrupts
    signal.alarm(0 if hasattr(target, "OWN_LIMITS") else SECONDS)
    try:
        target.attempt(rng, state, folder)
    except RecipeError as error:
        return "refused", AssertionError(f"more than one line: {error}") if "\n" in str(error) else None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return "broken", error
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
    return "taken", None


def name_of(error):
    """Name an error by its kind and its place, so that each is reported once."""
    if hasattr(error, "name") and hasattr(error, "case"):  # named by the target
        return error.name
    place = traceback.extract_tb(error.__traceback__)[-1:]
    return type(error).__name__ + "".join(f" in {Path(one.filename).name}:{one.lineno}" for one in place)


def copied(folder, kept):
    """Copy the regular files of a folder; an odd input may hold pipes and links to nothing."""
    for file in folder.rglob("*"):
        if file.is_file():
            place = kept / file.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)


def fuzz(target, minutes, seed, keep):
    """Try inputs until the time is over; return what became of them, the slowest, and what broke."""
    tally, broken, slowest = Counter(), {}, 0.0
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = target.prepare(folder)
        while time.monotonic() < end:
            number, start = tally.total(), time.perf_counter()
            what, error = tried(target, random.Random(f"{seed}:{number}"), state, folder)
            slowest = max(slowest, time.perf_counter() - start)
            tally[what] += 1
            if error and name_of(error) not in broken:
                broken[name_of(error)] = (number, error)
                if hasattr(error, "case"):
                    target.shrunk(error, state, folder)
                copied(folder, keep / f"{target.__name__.rpartition('.')[2]}-{seed}-{number}")
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 > MEGABYTES:
                broken["memory"] = (number, f"more than {MEGABYTES} MB")
                break
    return tally, slowest, broken


def main():
    """Fuzz until the time is over, and report."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--target", choices=TARGETS, default="files")
    ask.add_argument("--minutes", type=float, default=5)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir(), "recipe-fuzz"), help="for broken inputs")
    given = ask.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGALRM, interrupt)
    warnings.simplefilter("ignore")
    target = import_module(f"fuzzers.{given.target}")
    tally, slowest, broken = fuzz(target, given.minutes, given.seed, given.keep)
    counts = ", ".join(f"{n:,} {what}" for what, n in sorted(tally.items()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{given.target}: {tally.total():,} inputs, seed {given.seed}: {counts}; slowest {slowest:.2f} s, {peak:.0f} MB"
    )
    for name, (number, error) in sorted(broken.items()):
        print(f"BROKEN {name}: {str(error)[:200]} (input {number}, kept in {given.keep})")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
