"""Compare our reader with JSON libraries, on the files of one pool.

    python benchmarks/bench_read.py --pool /tmp/svit --json benchmarks/results/read.json

Every reader runs in a child of its own, in turns; seconds and memory are medians (`_forked.py` says what `peak_mb` is).
Seconds are those of the processor, over all threads, so that other work on the machine counts little.
The libraries only parse: they keep what they made until the end of a file, ijson until the end of an image. Ours also
checks every sample, moves boxes, gives each sample its key, and returns the table that the rest of the job works on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

from _forked import Measured, measured
from _machine import MB, facts, installed, save, table

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = {
    "name": "",
    "seconds": ".2f",
    "mb_per_second": ".0f",
    "samples_per_second": ",.0f",
    "peak_mb": ",.0f",
    "runs": "d",
}


class Reader(NamedTuple):
    """One way to read the files of a pool; it returns how many samples it found."""

    name: str
    prepare: Callable[[list[Path]], Callable[[], int]]
    package: str | None = None


def ours(files: list[Path]) -> Callable[[], int]:
    """Read the pool as the job does."""
    from recipe import read_pool

    read_pool(files[-1:])  # imports what reading needs; the smallest file
    return lambda: len(read_pool(files))


def decoder(load: Callable[[], Callable[[bytes], Any]]) -> Callable[[list[Path]], Callable[[], int]]:
    """Parse file after file, each as a whole."""

    def prepare(files: list[Path]) -> Callable[[], int]:
        decode = load()
        return lambda: sum(_samples(decode(file.read_bytes())) for file in files)

    return prepare


def _samples(items: list[dict[str, Any]]) -> int:
    """Count the samples of parsed SVIT items."""
    return sum(len(item["conversations"]) for item in items)


def _orjson() -> Callable[[bytes], Any]:
    """Return orjson's decoder."""
    import orjson

    loads: Callable[[bytes], Any] = orjson.loads
    return loads


def _msgspec() -> Callable[[bytes], Any]:
    """Return msgspec's decoder, without types."""
    import msgspec

    return msgspec.json.Decoder().decode


def with_polars(files: list[Path]) -> Callable[[], int]:
    """Parse into tables."""
    import polars as pl

    return lambda: sum(int(pl.read_json(file)["conversations"].list.len().sum()) for file in files)


def with_ijson(files: list[Path]) -> Callable[[], int]:
    """Parse image after image."""
    import ijson

    def count(file: Path) -> int:
        with file.open("rb") as stream:
            return sum(len(item["conversations"]) for item in ijson.items(stream, "item", use_float=True))

    return lambda: sum(map(count, files))


READERS = (
    Reader("recipe.read_pool", ours),
    Reader("json", decoder(lambda: json.loads)),
    Reader("orjson", decoder(_orjson), "orjson"),
    Reader("msgspec", decoder(_msgspec), "msgspec"),
    Reader("polars", with_polars, "polars"),
    Reader("ijson", with_ijson, "ijson"),
)


def clocked(run: Callable[[], int]) -> Callable[[], tuple[float, int]]:
    """Return what runs a function, and returns its seconds of the processor and its result."""

    def both() -> tuple[float, int]:
        begin = process_time()
        count = run()
        return process_time() - begin, count

    return both


def compete(files: list[Path], repeat: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Run every reader in turns, and return a row for each that ran, and why the others did not."""
    runs: dict[str, list[Measured]] = {reader.name: [] for reader in READERS}
    notes = {r.name: f"{r.package} is not installed" for r in READERS if r.package and not installed(r.package)}
    for _ in range(repeat):
        for reader in READERS:
            if reader.name not in notes:
                run = measured(lambda reader=reader: clocked(reader.prepare(files)))
                if run.error:
                    notes[reader.name] = run.error
                else:
                    seconds, count = run.result
                    runs[reader.name].append(run._replace(seconds=seconds, result=count))
                    print(f"{reader.name}: {seconds:.2f} s, {run.peak_mb:,.0f} MB", flush=True)
    size = sum(file.stat().st_size for file in files)
    return [summed_up(name, ran, size) for name, ran in runs.items() if ran], notes


def summed_up(name: str, runs: list[Measured], size: int) -> dict[str, Any]:
    """Sum up a reader's runs."""
    seconds, samples = median(run.seconds for run in runs), runs[0].result
    return {
        "name": name,
        "seconds": seconds,
        "mb_per_second": size / MB / seconds,
        "samples_per_second": samples / seconds,
        "peak_mb": median(run.peak_mb for run in runs),
        "runs": len(runs),
        "samples": samples,
        "mb": size / MB,
    }


def main() -> None:
    """Run the contest, print its table and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True, help="a folder of SVIT files, as synth.py writes it")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    files = sorted(asked.pool.glob("*.json"), key=lambda file: -file.stat().st_size)
    files = [file for file in files if file.name != "image_data.json"]
    if not files:
        parser.error(f"expected SVIT files in --pool, got none in {asked.pool}")
    rows, skipped = compete(files, asked.repeat)
    print(table(rows, COLUMNS))
    for name, reason in skipped.items():
        print(f"{name} did not run: {reason}")
    machine = facts(sorted({reader.package for reader in READERS if reader.package}))
    save(asked.json, [{**row, "skipped": skipped, "machine": machine} for row in rows])


if __name__ == "__main__":
    main()
