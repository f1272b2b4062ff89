"""Damaged files for every reader.

The files are small made-up ones in every format, and the real trouble of `RECIPE_DATA/quirks` where it is there. They
are damaged as bytes (bits flipped, cuts, splices, doubled chunks) and as values (odd members, huge numbers, deep
nesting). Each is checked, read and labelled, and what is eligible is written and checked; the check may find nothing in
what was written.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

from fuzzers.damage import damaged, twisted

from recipe.check import check_mix
from recipe.config.calls import call
from recipe.config.registry import names
from recipe.config.step import Step
from recipe.stages.read import read_pool
from recipe.stages.write.llava import write

ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
QUIRKS = Path(os.environ.get("RECIPE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "quirks"


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
KEYS = ("id", "image", "video", "conversations", "content", "topic", "from", "value", "image_id", "caption", "task")


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


def prepare(folder):  # noqa: ARG001  as of every target
    """Return the sound files, and the records to twist."""
    return seeds(), [LLAVA, SVIT, FLAN, CAPTIONS, [*LLAVA, *SVIT], {"data": LLAVA}, {"1": LLAVA[0], "2": LLAVA[1]}]


def damaged_file(rng, pool, trees):
    """Return the bytes of a damaged file."""
    if rng.random() < 0.5:
        tree = rng.choice(trees)
        for _ in range(rng.choice((1, 1, 2, 4))):
            tree = twisted(tree, rng, KEYS)
        data = json.dumps(tree, ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")
    else:
        data = rng.choice(pool)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        data = damaged(data, pool, rng)
    if rng.random() < 0.1:
        data = damaged(gzip.compress(data, 1), pool, rng) if rng.random() < 0.5 else gzip.compress(data, 1)
    return data


def attempt(rng, state, folder):
    """Read, label, write and check one file."""
    file, out = folder / f"input{rng.choice(ENDINGS)}", folder / "mix.json"
    file.write_bytes(damaged_file(rng, *state))
    knobs = {"lenient": rng.random() < 0.5}
    if rng.random() < 0.3:
        knobs |= {"format": rng.choice(names("read")), "image_token": "given", "boxes": "keep"}
    check_mix(file)
    pool = read_pool(file, **knobs)
    for room in ("answer", "task", "concepts", "trouble"):
        labels = call("tag", Step(room, {}), pool)
        if room == "trouble":
            pool = pool.refuse(labels["problem"])
            labels = labels.drop("problem")
        pool = pool.with_labels(labels)
    rows = pool.eligible.nonzero()[0]
    if len(rows):
        out.unlink(missing_ok=True)
        write(pool, rows, out, pack=len(knobs) > 1)
        found = check_mix(out)
        assert not found, f"eligible, and yet {found[0]}"
