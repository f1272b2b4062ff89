# ruff: noqa: T201  a script that prints
"""Feed damaged files to every reader for some minutes: `python tests/fuzz.py --minutes 5 --seed 0`.

The files are small made-up ones in every format, and the real trouble of `RECIPE_DATA/quirks` where it is there. They
are damaged as bytes (bits flipped, cuts, splices, doubled chunks) and as values (odd members, huge numbers, deep
nesting). Each is checked, read and labelled, and what is eligible is written and checked. Only a RecipeError may come
out, within 10 seconds and 1 GB, and the check may find nothing in what was written. An input that breaks this is kept,
and the exit status is 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import gzip
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from recipe.check import check_mix
from recipe.config.registry import call, names
from recipe.config.step import Step
from recipe.errors import RecipeError
from recipe.stages.read import read_pool
from recipe.stages.write.llava import write

SECONDS, MEGABYTES = 10, 1024
ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
QUIRKS = Path(os.environ.get("RECIPE_DATA", Path(__file__).parents[2] / "shared" / "data")) / "quirks"


class Broken(Exception):  # noqa: N818  what an input has done
    """An input got something out of the library that it must not."""


def talk(*texts, human="human"):
    """Turns that alternate."""
    return [{"from": (human, "gpt")[i % 2], "value": text} for i, text in enumerate(texts)]


LLAVA = [
    {"id": "0000033471", "image": "coco/1.jpg", "conversations": talk("<image>\nWhat is it?", "A bus.", "Red?", "No")},
    {"id": 7, "image": "vg/VG_100K/2.jpg", "conversations": talk("Is it day?\n<image>", "No"), "model": ""},
    {"id": "text", "conversations": talk("Why is the sky blue?", "Rayleigh scattering \u2014 see \U0001f600.")},
]
SOUP = talk("What is it?", "Soup.", human="user")
BOXES = talk("Where is the <st>cat<ed> [0.1, 0, 0.5, .75]?", "On <st>it<ed> [0, 0, 1, 1].", human="user")
SVIT = [
    {"image_id": 7, "conversations": [{"topic": "Food", "content": SOUP}, {"topic": "Cats", "content": BOXES}]},
    {"image_id": 8, "conversations": [{"content": BOXES}]},
]
FLAN = [{"id": "a", "image": "a.jpg", "task_name": "birds+species", "conversations": talk("<image>\nBird?", "A jay.")}]
CAPTIONS = [{"image_id": "2", "caption": "A man is fishing at a lake."}, {"image_id": 3, "caption": "Two old boats."}]
NESTED = json.loads("[" * 400 + "]" * 400)
ODD = (
    None, True, 0, -1, 10**30, 1e308, float("nan"), float("inf"), "", " ", "\x00", "\ud83d", "<image>", "</s>", [], {},
    [[]], [None], [{}], {"": None}, "/etc/passwd", "../../a.jpg", "x" * 70_000, "9" * 5_000, NESTED, ["a.jpg", "b.jpg"],
    [{"from": "human"}], [{"from": "gpt", "value": "Hi"}], "[0.1, 0.2, 0.3", "<st><ed>[1e999, 0, 0, 1]", "\u202e\ufeff",
)  # fmt: skip
KEYS = ("id", "image", "video", "conversations", "content", "topic", "from", "value", "image_id", "caption", "task")
TOKENS = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"[", b"]", b"{", b"}", b",",
    b":", b'"', b"\\", b"\\u", b"\\ud800", b"NaN", b"-Infinity", b"1e999", b"9" * 4_400, b"[" * 3_000, b'{"a":' * 3_000,
    b"\n", b"\r\n", b"null", b"<image>", b"\xe2\x80\xa8", b"//", b"'",
)  # fmt: skip


def made():
    """Return the sound files in every container."""
    arrays = [LLAVA, SVIT, FLAN, CAPTIONS]
    plain = [json.dumps(array).encode() for array in arrays]
    lines = ["\n".join(map(json.dumps, array)).encode() for array in arrays]
    wrapped = [json.dumps({"data": array, "version": 1}).encode() for array in arrays]
    keyed = json.dumps({str(i): record for i, record in enumerate(LLAVA)}).encode()
    marked = [plain[0].decode().encode(code) for code in ("utf-8-sig", "utf-16", "utf-32")]
    others = [json.dumps(LLAVA, indent=2).encode(), json.dumps(LLAVA[0]).encode()]
    return [*plain, *lines, *wrapped, keyed, *marked, *others]


def seeds():
    """Return the made-up files and the quirks, each small enough for thousands of rounds."""
    real = sorted(QUIRKS.rglob("*.json*")) if QUIRKS.is_dir() else []
    return made() + [file.read_bytes() for file in real]


def damaged(data, others, rng):
    """Damage bytes once."""
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64, 512))
    kind = rng.randrange(6)
    if kind == 0 and data:
        at = rng.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[at + length :]
    if kind == 2:
        return data[:at]
    if kind == 3:
        return data[:at] + data[at : at + length] * rng.choice((2, 3, 50)) + data[at + length :]
    if kind == 4:
        other = rng.choice(others)
        start = rng.randrange(len(other) + 1)
        return data[:at] + other[start : start + 8 * length] + data[at:]
    return data[:at] + rng.choice(TOKENS) + data[at:]


def twisted(value, rng):
    """Replace, drop, double or rename one member somewhere in a JSON value."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return rng.choice(ODD)
    at = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    kind = rng.randrange(8)
    items = dict(value) if isinstance(value, dict) else list(value)
    if kind == 0:
        del items[at]
    elif kind == 1 and isinstance(items, list):
        items.insert(at, items[at])
    elif kind == 2 and isinstance(items, dict):
        items[rng.choice(KEYS)] = items.pop(at)
    else:
        items[at] = twisted(items[at], rng)
    return items


def inputs(rng):
    """Yield damaged files without end."""
    pool = seeds()
    trees = [LLAVA, SVIT, FLAN, CAPTIONS, [*LLAVA, *SVIT], {"data": LLAVA}, {"1": LLAVA[0], "2": LLAVA[1]}]
    while True:
        if rng.random() < 0.5:
            tree = rng.choice(trees)
            for _ in range(rng.choice((1, 1, 2, 4))):
                tree = twisted(tree, rng)
            data = json.dumps(tree, ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")
        else:
            data = rng.choice(pool)
        for _ in range(rng.choice((0, 1, 1, 2, 5))):
            data = damaged(data, pool, rng)
        if rng.random() < 0.1:
            data = damaged(gzip.compress(data, 1), pool, rng) if rng.random() < 0.5 else gzip.compress(data, 1)
        yield data


def attack(file, out, knobs):
    """Read, label, write and check one file; raise what must not come out."""
    try:
        pool = read_pool(file, **knobs)
    except RecipeError as error:
        if "\n" in str(error):
            raise Broken("the message has more than one line") from error
        return "refused"
    finally:
        check_mix(file)
    for room in ("answer", "task", "concepts", "trouble"):
        labels = call("tag", Step(room, {}), pool)
        if room == "trouble":
            pool = pool.refuse(labels["problem"])
            labels = labels.drop("problem")
        pool = pool.with_labels(labels)
    rows = pool.eligible.nonzero()[0]
    if len(rows):
        write(pool, rows, out, pack=len(knobs) > 1)
        if found := check_mix(out):
            raise Broken(f"eligible, and yet {found[0]}")
    return "mixed" if len(rows) else "all rejected"


def too_slow(*_):
    """Interrupt an input that takes too long."""
    raise Broken(f"more than {SECONDS} s")


def tried(data, folder, rng, last):
    """Try one input, and return what became of it, with the error that is sought if there was one."""
    file = Path(folder, f"input{rng.choice(ENDINGS)}")
    file.write_bytes(data)
    last.write_bytes(data)  # outlives a process that the input kills
    knobs = {"lenient": rng.random() < 0.5}
    if rng.random() < 0.3:
        knobs |= {"format": rng.choice(names("read")), "image_token": "given", "boxes": "keep"}
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True)  # for code that no signal interrupts
    signal.alarm(SECONDS)
    try:
        return attack(file, Path(folder, "mix.json"), knobs), None
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is sought
        return "broken", error
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
        file.unlink()


def name_of(error):
    """Name an error by its kind and its place, so that each is reported once."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"


def fuzz(minutes, rng, last):
    """Try inputs until the time is over; return what became of them, the slowest, the peak in MB and what broke."""
    tally, broken, slowest, peak = Counter(), {}, (0.0, b""), 0.0
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        for data in inputs(rng):
            start = time.perf_counter()
            what, error = tried(data, folder, rng, last)
            slowest = max(slowest, (time.perf_counter() - start, data))
            tally[what] += 1
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            if peak > MEGABYTES:
                error = error or Broken(f"{peak:.0f} MB")
            if error and (name_of(error) not in broken or len(data) < len(broken[name_of(error)][1])):
                broken[name_of(error)] = (error, data)
            if time.monotonic() > end or peak > MEGABYTES:
                return tally, slowest, peak, broken
    return None  # the inputs have no end


def main():
    """Fuzz until the time is over, and report."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--minutes", type=float, default=5)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir(), "recipe-fuzz"), help="for broken inputs")
    given = ask.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGALRM, too_slow)
    last = given.keep / f"last-{given.seed}"
    tally, slowest, peak, broken = fuzz(given.minutes, random.Random(given.seed), last)
    last.unlink()
    print(
        f"{tally.total():,} inputs, seed {given.seed}:", ", ".join(f"{n:,} {what}" for what, n in sorted(tally.items()))
    )
    print(f"slowest {slowest[0]:.2f} s ({len(slowest[1]):,} bytes), peak memory {peak:.0f} MB")
    for at, (name, (error, data)) in enumerate(sorted(broken.items())):
        kept = given.keep / f"broken-{given.seed}-{at}"
        kept.write_bytes(data)
        print(f"BROKEN {name}: {str(error)[:200]} ({len(data):,} bytes in {kept})")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
