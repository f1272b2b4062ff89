"""Write a pool in SVIT's raw format, of any size: the same bytes for the same seed, in constant memory.

    python benchmarks/synth.py --images 108077 --seed 0 --out /tmp/svit_full

Each image has 3 conversations of 5 question-answer pairs, 15 reasoning pairs, 10 referring pairs and 1 description.
What an image says depends on the seed and its own number, not on how many images there are. Of the pairs (descriptions
aside) 5 % differ from another of the same image and task in one adverb or in how they end, and 1 % are copies. 30 % of
the pairs in conversations are answered yes or no, 70 : 30.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _scenes import CHUNK, QAS, TOPIC, Scenes
from _world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = [(500, 375), (800, 600), (640, 480), (1024, 768), (375, 500), (500, 333), (600, 800), (1024, 683), (333, 500)]
URL = "https://cs.stanford.edu/people/rak248"
GAP = 22  # Visual Genome's ids reach 2.4 million for 108,077 images
BYTES = 24_000  # of an image, at most, to see whether the disk has room


def image_ids(chunk: int) -> list[int]:
    """Return the ids of a chunk's images, rising with gaps."""
    number = chunk * CHUNK + np.arange(CHUNK)
    ids: list[int] = (1 + number * GAP + number * 7919 % GAP).tolist()
    return ids


def svit_text(scenes: Scenes, task: str, ids: list[int]) -> bytes:
    """Return the JSON text of a chunk's first images, each with a comma and a line break before it."""
    bank, frame, lines = scenes.world.bank, scenes.world.frame, QAS[task]
    heads = [f',\n{{"image_id": {i}, "conversations": ['.encode() for i in ids]
    position = np.tile(np.arange(lines), CHUNK)
    unit = TOPIC if task == "conversation" else 1
    opens, closes, first, last = (
        position % unit == 0,
        position % unit == unit - 1,
        position == 0,
        position == lines - 1,
    )
    if task == "conversation":
        topic = np.repeat(scenes.topic.ravel(), unit)
        before = [np.where(opens, part, 0) for part in (frame["topic"], topic, frame["after topic"])]
    else:
        before = [np.where(opens, frame["content"], 0)]
    head = np.where(first, len(bank.fragments) + np.repeat(np.arange(CHUNK), lines), frame["comma"])
    user, end = np.full((2, len(position)), [[frame["user"]], [frame["end of answer"]]])
    after = [end, np.where(closes, frame["end"], 0), np.where(last, frame["end"], 0)]
    rows = np.concatenate(
        [np.stack([head, *before, user], axis=1), scenes.texts(task), np.stack(after, axis=1)], axis=1
    )
    flat = rows[: len(ids) * lines].ravel()
    return b"".join(map((bank.fragments + heads).__getitem__, flat[flat > 0].tolist()))


def image_data(scenes: Scenes, ids: list[int]) -> bytes:
    """Return the lines of Visual Genome's list of images."""
    sizes = scenes.draws.ranks(len(SIZES), CHUNK).tolist()
    return b"".join(
        f',\n{{"width": {SIZES[size][0]}, "url": "{URL}/VG_100K{"_2" * (i % 2)}/{i}.jpg"'
        f', "height": {SIZES[size][1]}, "image_id": {i}, "coco_id": null, "flickr_id": null}}'.encode()
        for i, size in zip(ids, sizes, strict=False)
    )


def parts(images: int, seed: int) -> Iterator[dict[str, bytes]]:
    """Yield chunk after chunk what is appended to each file."""
    world = World()
    for number in range(-(-images // CHUNK)):
        scenes, ids = Scenes(world, seed, number), image_ids(number)[: images - number * CHUNK]
        yield {**{task: svit_text(scenes, task, ids) for task in QAS}, "image_data": image_data(scenes, ids)}


def write_pool(images: int, seed: int, out: Path) -> int:
    """Write the five files into a new folder, which appears complete or not at all.

    Parameters
    ----------
    images
        From 1.
    seed
        From 0.
    out
        The folder; it must not exist, or be empty.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    OSError
        If the folder holds something or the disk is full; what was written is removed.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"expected a new or empty folder, got {out}; name another or remove it")
    out.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(out.parent).free
    if free < images * BYTES:
        raise OSError(f"expected {images * BYTES:,} bytes of free disk for {images:,} images, got {free:,}")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        written = _write(partial, images, seed)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return written


def _write(folder: Path, images: int, seed: int) -> int:
    """Write the files into a folder."""
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.json").open("wb")) for name in (*QAS, "image_data")}
        for number, part in enumerate(parts(images, seed)):
            for name, text in part.items():
                files[name].write(text if number else b"[" + text[2:])
        for file in files.values():
            file.write(b"]\n")
        return sum(file.tell() for file in files.values())


def main() -> None:
    """Write a pool and print its size and speed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, required=True, help="how many; SVIT has 108,077")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    asked = parser.parse_args()
    if asked.images < 1 or asked.seed < 0:
        parser.error(f"expected --images from 1 and --seed from 0, got {asked.images} and {asked.seed}")
    begin = time.perf_counter()
    try:
        written = write_pool(asked.images, asked.seed, asked.out)
    except OSError as error:
        sys.exit(f"synth.py: {error}")
    seconds = time.perf_counter() - begin
    qas = asked.images * sum(QAS.values())
    speed = f"{written / 1e6:,.1f} MB in {seconds:.1f} s ({written / 1e6 / seconds:.0f} MB/s)"
    print(f"{asked.images:,} images, {qas:,} question-answer pairs, {speed}")


if __name__ == "__main__":
    main()
