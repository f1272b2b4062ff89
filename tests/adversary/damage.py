# ruff: noqa: T201  a script that prints
"""Damage every file of a cache in every way, and see that the mix is the same: `python tests/adversary/damage.py`.

Each case is run in a process of its own, since a damaged file that is mapped may end it. The script counts what came of
each: the same bytes, one line (an error of `recipe.errors`), another error, a crash, or another mix.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from recipe import demo, select_mix
from recipe.errors import DamagedCache, RecipeError
from recipe.stages import dedup, read
from recipe.stages.read import _shards

QUESTION = '{"question_id": 1, "text": "How many umbrellas are there in the picture that hangs beside the old door?"}\n'
OUTCOMES = ("same bytes", "one line", "another error", "crash", "another mix")


def small_shards():
    """Cut files into pieces of some records and pools into shards of some rows, so that a small pool has many."""
    read.IN_MEMORY, _shards.PIECE, _shards.SHARD, dedup.SHARD = -1, 6000, 150, 150


class Cached:
    """A small pool with a cache that holds every kind of artefact, and the mix that comes of it."""

    def __init__(self, folder):
        self.folder, self.cache = Path(folder), Path(folder, "cache")
        demo.write_demo(self.folder / "pool", images=8)
        (self.folder / "bench.jsonl").write_text(QUESTION)

    def run(self):
        """Select with the cache, and return the bytes of every file of the mix."""
        out = self.folder / f"out-{os.getpid()}"
        out.mkdir(exist_ok=True)
        select_mix(
            str(self.folder / "pool"),
            size=60,
            seed=3,
            exclude={"questions": [str(self.folder / "bench.jsonl")]},
            dedup={"near": 0.8, "semantic": 0.97},
            embed="hashing",
            score=["uniqueness", "novelty"],
            cache=self.cache,
            engine="serial",
        ).write(out / "mix.json")
        found = {path.name: path.read_bytes() for path in out.iterdir()}
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
        return found

    def files(self):
        """Return the names of the files of the cache."""
        return sorted(path.relative_to(self.cache).as_posix() for path in self.cache.rglob("*") if path.is_file())


def emptied(path, _):
    """Leave a file without bytes."""
    path.write_bytes(b"")


def cut(path, rng):
    """End a file early."""
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def flipped(path, rng, at=None):
    """Change one bit of a file, and hide when."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    at = rng.randrange(len(content)) if at is None else at
    content[at] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def flipped_first(path, rng):
    """Change the first byte of a file."""
    flipped(path, rng, 0)


def flipped_last(path, rng):
    """Change the last byte of a file."""
    flipped(path, rng, -1)


def replaced(path, rng):
    """Put another artefact of the same size in its place; if there is none, other bytes."""
    content = path.read_bytes()
    twins = [
        one for one in path.parent.rglob(f"*{path.suffix}") if one.is_file() and one.stat().st_size == len(content)
    ]
    others = sorted(one for one in twins if one.read_bytes() != content)
    path.write_bytes(rng.choice(others).read_bytes() if others else rng.randbytes(len(content)))


def swapped(path, rng):
    """Put another artefact with its checksum in its place."""
    others = sorted(one for one in path.parent.glob(f"*{path.suffix}") if one != path and one.suffix != ".sum")
    other = rng.choice(others) if others else path
    ending = Path(f"{other}.sum")
    path.write_bytes(other.read_bytes() if others else b"[]")
    if ending.is_file():
        Path(f"{path}.sum").write_bytes(ending.read_bytes())


def deleted(path, _):
    """Remove a file."""
    path.unlink()


def link_to_nothing(path, _):
    """Put a link without a target in its place."""
    path.unlink()
    path.symlink_to("nowhere")


def pipe(path, _):
    """Put a pipe in its place, on which a reader waits for ever."""
    path.unlink()
    os.mkfifo(path)


def folder(path, _):
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


DAMAGES = (
    *(emptied, cut, flipped, flipped_first, flipped_last, replaced, swapped, deleted),
    *(link_to_nothing, pipe, folder),
)


def outcome(cached, expected):
    """Run with a damaged cache in this process, and say what came of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedCache)
        try:
            return "same bytes" if cached.run() == expected else "another mix"
        except RecipeError as error:
            return "one line" if "\n" not in str(error) else "another error"
        except Exception:  # noqa: BLE001  counted
            return "another error"


def in_a_process(work):
    """Do some work in a process of its own, and return its number, or one for a crash."""
    child = os.fork()
    if not child:
        code = OUTCOMES.index("crash")
        try:
            code = work()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else OUTCOMES.index("crash")


def survey(cached, cases, seed):
    """Damage one file after another, and count what came of it by damage; a mended cache goes on to the next case."""
    rng, counts, seen = random.Random(seed), {damage.__name__: Counter() for damage in DAMAGES}, 0
    reference = cached.folder / "expected.npy"

    def first():
        np.save(reference, np.array(sorted(cached.run().items()), dtype=object), allow_pickle=True)
        return 0

    assert in_a_process(first) == 0
    expected = dict(np.load(reference, allow_pickle=True).tolist())
    todo = [(name, damage) for name in cached.files() for damage in DAMAGES]
    rng.shuffle(todo)
    for name, damage in todo[:cases]:
        path = cached.cache / name
        if not path.is_file() or not path.stat().st_size:
            continue
        damage(path, rng)
        found = OUTCOMES[in_a_process(lambda: OUTCOMES.index(outcome(cached, expected)))]
        counts[damage.__name__][found] += 1
        seen += 1
        if found != "same bytes":
            print(f"{found:<14} {damage.__name__:<16} {name}", flush=True)
            if path.is_dir():
                path.rmdir()
            in_a_process(lambda: OUTCOMES.index(outcome(cached, expected)))
    return counts, seen


def main():
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    small_shards()
    with tempfile.TemporaryDirectory() as place:
        cached = Cached(place)
        counts, seen = survey(cached, given.cases, given.seed)
        print(f"{len(cached.files())} files, {seen} cases")
    print(f"{'damage':<16}" + "".join(f"{name:>14}" for name in OUTCOMES))
    for damage, found in counts.items():
        print(f"{damage:<16}" + "".join(f"{found[name]:>14}" for name in OUTCOMES))
    total = sum(counts.values(), Counter())
    print(f"{'all':<16}" + "".join(f"{total[name]:>14}" for name in OUTCOMES))
    sys.exit(bool(total["another error"] or total["crash"] or total["another mix"]))


if __name__ == "__main__":
    main()
