"""Odd files of every format that is read, in every container that can hold it.

Records and lists of files are made (`shapes`), damaged as values, written (`containers`), and damaged as bytes. Another
process reads them (`child`): named by file or by folder, lenient or not, with and without a store, by a named reader or
not. Broken is an error that is no RecipeError, one of several lines, a crash, more than 10 seconds, 500 MB more than
before, a record that is no row, and a picture that does not lie where the pool says. What breaks is made smaller.
"""

from __future__ import annotations

import bz2
import copy
import gzip
import json
import lzma
import random
import select
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from fuzzers.damage import damaged, twisted
from fuzzers.packed import bytes_of
from fuzzers.sets import SETS
from fuzzers.shapes import KEYS, RECORDS, SHARD

from recipe.config.registry import names
from recipe.errors import InputError

SECONDS, GROWTH = 10, 500  # of one input; megabytes
OWN_LIMITS = True  # the process that reads is watched here
PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
ENDINGS = {"json": ".json", "jsonl": ".jsonl", "parquet": ".parquet", "arrow": ".arrow", "tar": ".tar"}
COUNTED = ("json", "jsonl", "parquet", "arrow")  # containers in which each value is a record
FRAMES = (None, None, "unit", "square", "thousand", "pixels")
DAMAGES = (0, 0, 0, 1, 1, 2, 5)  # of the bytes of a file
TRIES = 60  # of making a broken input smaller


@dataclass(frozen=True)
class File:
    """A file of an input."""

    name: str
    container: str
    tree: object
    style: int = 0  # seed of the layout
    packing: str = ""
    damages: tuple[int, ...] = ()  # a seed each

    def content(self):
        """Return its bytes."""
        data = bytes_of(self.container, copy.deepcopy(self.tree), random.Random(self.style))
        for seed in self.damages[1:]:
            data = damaged(data, [data, b'[{"id": 1}]'], random.Random(seed))
        data = PACK[self.packing](data)
        return damaged(data, [data], random.Random(self.damages[0])) if self.damages else data


@dataclass(frozen=True)
class Case:
    """An input: files, how they are named, and the options."""

    files: tuple[File, ...]
    paths: tuple[str, ...]
    knobs: dict = field(default_factory=dict)
    store: bool = False
    held: bool = False

    def expected(self, content):
        """Return how many rows there are at least."""
        first = self.files[0]
        whole = len(self.files) == 1 and not first.damages and isinstance(first.tree, list) and len(first.tree) > 1
        array = content.startswith({"json": b"[", "jsonl": b"{"}.get(first.container, b""))
        return len(first.tree) if whole and first.container in COUNTED and array and not first.packing else 0

    def write(self, folder):
        """Write its files and what is done with them, and nothing else."""
        shutil.rmtree(folder, ignore_errors=True)
        contents = [file.content() for file in self.files]
        for file, content in zip(self.files, contents, strict=True):
            place = folder / "files" / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        call = {"paths": self.paths, "knobs": self.knobs, "store": self.store, "held": self.held}
        folder.mkdir(exist_ok=True)
        (folder / "call.json").write_text(json.dumps({**call, "expected": self.expected(contents[0])}))


class Broken(AssertionError):  # noqa: N818  named after what came
    """What came of an input that must not."""

    def __init__(self, name, text, case):
        super().__init__(f"{name}: {text.strip().splitlines()[-1][:300] if text.strip() else ''}")
        self.name, self.text, self.case = name, text, case


class Child:
    """The process that reads; another one takes its place after a crash, a hang, or many inputs."""

    def __init__(self):
        self.process = None

    def read(self, folder):
        """Return what came of an input."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, str(Path(__file__).with_name("child.py"))]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.process.stdin.write(f"{folder}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.ended()
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS if self.warm else 6 * SECONDS)
        if not ready:
            self.process.kill()
            self.ended()
            return {"what": "broken", "name": "hang", "text": f"more than {SECONDS} s"}
        line = self.process.stdout.readline()
        if not line:
            return self.ended()
        self.warm = True
        found = json.loads(line)
        if found["grown"] > GROWTH:
            return {"what": "broken", "name": "memory", "text": f"{found['grown']} MB more than before"}
        return found

    warm = False  # whether it has read something: the first time it imports and compiles

    def ended(self):
        """Return how the process ended."""
        status = self.process.wait()
        self.warm = False
        return {"what": "broken", "name": f"crash {status}", "text": f"it ended with the status {status}"}


def prepare(folder):  # noqa: ARG001  as of every target
    """Start the process that reads."""
    return Child()


def attempt(rng, state, folder):
    """Read one input; raise what its reading raised."""
    case = made(rng)
    found = tried(case, state, folder)
    if found["what"] == "broken":
        raise Broken(found["name"], found["text"], case)
    if found["what"] == "refused":
        raise InputError(found["text"])


def tried(case, state, folder):
    """Read an input; a hang counts if it comes twice."""
    case.write(folder / "input")
    found = state.read(folder / "input")
    if found.get("name") == "hang":
        found = state.read(folder / "input")
    shutil.rmtree(folder / "input" / "cache", ignore_errors=True)
    return found


def made(rng):
    """Make an input."""
    if rng.random() < 0.35:
        files = [File(*one) for one in SETS[rng.choice(sorted(SETS))]]
    else:
        files = [_one(rng) for _ in range(rng.choice((1, 1, 1, 1, 2)))]
        files = list({file.name: file for file in files}.values())
    odd = rng.randrange(len(files))
    files = [_twisted(file, rng, often=number == odd) for number, file in enumerate(files)]
    knobs = {"lenient": rng.random() < 0.5, "boxes_frame": rng.choice(FRAMES)}
    if rng.random() < 0.3:
        knobs |= {"format": rng.choice(names("read")), "image_token": "given", "boxes": "keep"}
    paths = tuple(file.name for file in files) if rng.random() < 0.5 else (".",)
    paths = paths if len(files) == 1 or rng.random() < 0.5 else (files[0].name,)
    held = len(files) == 1 and files[0].container == "json" and not files[0].packing and not files[0].damages
    if held and rng.random() < 0.2:
        return Case(tuple(files), (files[0].name,), knobs, rng.random() < 0.35, held=True)
    return Case(tuple(files), paths, knobs, rng.random() < 0.35)


def _one(rng):
    """Make a file of records of one dialect, seldom of several, in any container."""
    records = []
    for name in rng.sample(sorted(RECORDS), rng.choice((1, 1, 1, 2, 3))):
        records += RECORDS[name] * rng.choice((1, 1, 1, 30))
    if rng.random() < 0.3:
        rng.shuffle(records)
    container = rng.choice(sorted(ENDINGS))
    if container == "tar":
        records = [{**rng.choice(SHARD), "__key__": f"{number:04}", "json": one} for number, one in enumerate(records)]
    ending = ENDINGS[container] if rng.random() < 0.95 else rng.choice((".csv", ".txt", "", ".json", ".tsv"))
    stem = rng.choice(("train", "data", "referring_qa", "SVIT_core", "x_instructions", "captions_val2014"))
    return File(stem + ending, container, records, rng.randrange(2**32))


def _twisted(file, rng, *, often):
    """Damage the values of a file and its bytes, or leave it as it is."""
    tree = file.tree
    for _ in range(rng.choice((1, 1, 2, 4)) if often and rng.random() < 0.8 else 0):
        tree = twisted(tree, rng, KEYS)
        tree = file.tree if isinstance(file.tree, list) and not isinstance(tree, list) and rng.random() < 0.9 else tree
    damages = tuple(rng.randrange(2**32) for _ in range(rng.choice(DAMAGES) if often else 0))
    packable = file.container in ("json", "jsonl", "tar", "table") and rng.random() < 0.15
    packing = rng.choice(sorted(PACK)) if packable else ""
    return replace(file, name=file.name + packing, tree=tree, damages=damages, packing=packing)


def shrunk(error, state, folder):
    """Make a broken input smaller as long as it breaks in the same way; its folder holds the smallest then."""
    best, left = error.case, TRIES if error.name != "hang" else 4
    smaller = True
    while smaller and left > 0:
        smaller = False
        for case in _simpler(best):
            left -= 1
            if left < 0:
                break
            if tried(case, state, folder).get("name") == error.name:
                best, smaller = case, True
                break
    best.write(folder / "input")
    (folder / "input" / "broken.txt").write_text(f"{error.name}\n{error.text}\n{asdict(best)!r}\n", "utf-8", "replace")


def _simpler(case):
    """Yield inputs that are a little simpler: fewer files, damages, options and records."""
    for number in range(len(case.files) if len(case.files) > 1 else 0):
        files = case.files[:number] + case.files[number + 1 :]
        paths = tuple(path for path in case.paths if path != case.files[number].name) or (".",)
        yield replace(case, files=files, paths=paths)
    if case.store:
        yield replace(case, store=False)
    for knob in case.knobs:
        yield replace(case, knobs={name: value for name, value in case.knobs.items() if name != knob})
    for number, file in enumerate(case.files):
        for simpler in _simpler_files(file):
            yield replace(case, files=(*case.files[:number], simpler, *case.files[number + 1 :]))


def _simpler_files(file):
    """Yield files that are a little simpler."""
    for at in range(len(file.damages)):
        yield replace(file, damages=file.damages[:at] + file.damages[at + 1 :])
    tree = file.tree
    if isinstance(tree, list) and len(tree) > 1:
        half = len(tree) // 2
        yield from (replace(file, tree=part) for part in (tree[:half], tree[half:]))
        if len(tree) < 8:
            yield from (replace(file, tree=tree[:at] + tree[at + 1 :]) for at in range(len(tree)))
    if isinstance(tree, list) and len(tree) == 1 and isinstance(tree[0], dict):
        for key in tree[0]:
            yield replace(file, tree=[{name: value for name, value in tree[0].items() if name != key}])
