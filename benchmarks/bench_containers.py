"""Compare our readers of each container with polars and Hugging Face's datasets, on the same records.

    python benchmarks/bench_containers.py --rows 1000000 --json benchmarks/results/read_containers.json

The records are short LLaVA conversations, without pictures, and with a picture of 20 KB each for a hundredth of them.
The libraries only load: polars into memory, datasets into a cache of its own. Ours also checks every sample, counts its
words, gives it its key, and hashes each picture. Each runs on one core, in a child of its own, in turns; seconds are
those of the processor, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import tarfile
import tempfile
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from _forked import Measured, measured
from _machine import facts, installed, save, table
from bench_read import COLUMNS, clocked, summed_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARE = 100  # of the records, one in so many has a picture in the files with pictures
PICTURE = 20_000  # bytes
WORDS = ("the", "cat", "sits", "on", "red", "bench", "near", "window", "street", "two", "men", "bus", "what", "colour")
LOADERS = {".parquet": "parquet", ".arrow": "arrow", ".jsonl": "json", ".tsv": "csv"}  # of datasets


class Contest(NamedTuple):
    """One reader on one file."""

    name: str
    file: Path
    run: Callable[[Path], Callable[[], int]]
    package: str | None = None


def records(rows: int) -> Iterator[dict[str, Any]]:
    """Yield records, the same for the same number."""
    rng = random.Random(0)  # noqa: S311  no secrets
    for number in range(rows):
        turns = []
        for _ in range(rng.choice((1, 1, 2))):
            turns.append({"from": "human", "value": " ".join(rng.choices(WORDS, k=10)) + "?"})
            turns.append({"from": "gpt", "value": " ".join(rng.choices(WORDS, k=30)) + "."})
        yield {"id": f"r{number}", "conversations": turns, "data_source": "ab"[number % 2]}


def write_files(folder: Path, rows: int) -> None:
    """Write the records in every container."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = list(records(rows))
    texts = pa.Table.from_pylist(made)
    pq.write_table(texts, folder / "texts.parquet", row_group_size=20_000)
    with pa.OSFile(str(folder / "texts.arrow"), "wb") as file, pa.ipc.new_stream(file, texts.schema) as stream:
        stream.write_table(texts, max_chunksize=1_000)
    (folder / "texts.jsonl").write_text("".join(json.dumps(record) + "\n" for record in made), encoding="ascii")
    shown = [{"bytes": random.Random(n).randbytes(PICTURE), "path": None} for n in range(len(made) // SHARE)]  # noqa: S311
    some = [{**record, "image": one} for record, one in zip(made, shown, strict=False)]
    for record, one in zip(some, shown, strict=True):
        one["bytes"] = b"\x89PNG\r\n\x1a\n" + one["bytes"]
        record["conversations"][0]["value"] = f"<image>\n{record['conversations'][0]['value']}"
    pq.write_table(pa.Table.from_pylist(some), folder / "pictures.parquet", row_group_size=100)
    with tarfile.open(folder / "pictures.tar", "w") as shard:
        for record in some:
            _add(shard, f"{record['id']}.png", record["image"]["bytes"])
            _add(shard, f"{record['id']}.json", json.dumps({"conversations": record["conversations"]}).encode())


def _add(shard: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to a tar."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    shard.addfile(entry, io.BytesIO(content))


def ours(file: Path) -> Callable[[], int]:
    """Read the file as the job does."""
    import polars as pl

    from recipe.data.tokens import MANY
    from recipe.data.tokens import measured as measured_texts
    from recipe.stages.read._piece import Options, Piece
    from recipe.stages.read._shards import read_piece
    from recipe.stages.read._sources import File

    piece = Piece(File(file, file.name), None, None)
    options = Options("square", 0, "front", lenient=False, images=None, boxes_frame=None)
    small = file.with_name("small.jsonl")
    small.write_text("".join(json.dumps(record) + "\n" for record in records(9)), encoding="ascii")
    read_piece(piece._replace(file=File(small, "small")), options)  # imports what reading needs
    measured_texts(pl.Series(["a"] * MANY))  # compiles
    return lambda: len(read_piece(piece, options))


def with_polars(file: Path) -> Callable[[], int]:
    """Load the file into a table."""
    import polars as pl

    load = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc_stream, ".jsonl": pl.read_ndjson}[file.suffix]
    return lambda: load(file).height


def with_datasets(file: Path) -> Callable[[], int]:
    """Load the file into a cache."""
    import datasets

    datasets.disable_progress_bars()
    cache = tempfile.mkdtemp(dir=file.parent)

    def load() -> int:
        return len(datasets.load_dataset(LOADERS[file.suffix], data_files=str(file), split="train", cache_dir=cache))

    return load


def contests(folder: Path) -> list[Contest]:
    """Return who reads what."""
    made = []
    for name in ("texts.jsonl", "texts.parquet", "texts.arrow", "pictures.parquet", "pictures.tar"):
        file = folder / name
        made.append(Contest(f"recipe, {name}", file, ours))
        if file.suffix != ".tar":
            made.append(Contest(f"polars, {name}", file, with_polars, "polars"))
            made.append(Contest(f"datasets, {name}", file, with_datasets, "datasets"))
    return made


def compete(folder: Path, repeat: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Run every contest in turns, and return a row for each that ran, and why the others did not."""
    entered = contests(folder)
    runs: dict[str, list[Measured]] = {one.name: [] for one in entered}
    notes = {
        one.name: f"{one.package} is not installed" for one in entered if one.package and not installed(one.package)
    }
    for _ in range(repeat):
        for one in entered:
            if one.name not in notes:
                run = measured(lambda one=one: clocked(one.run(one.file)))
                if run.error:
                    notes[one.name] = run.error
                else:
                    seconds, count = run.result
                    runs[one.name].append(run._replace(seconds=seconds, result=count))
                    print(f"{one.name}: {seconds:.2f} s, {run.peak_mb:,.0f} MB", flush=True)
    return [summed_up(one.name, runs[one.name], one.file.stat().st_size) for one in entered if runs[one.name]], notes


def main() -> None:
    """Run the contests, print their table and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    os.environ.update(POLARS_MAX_THREADS="1", HF_HUB_OFFLINE="1")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core each
    with tempfile.TemporaryDirectory() as name:
        writer = get_context("spawn").Process(target=write_files, args=(Path(name), asked.rows))
        writer.start()
        writer.join()
        rows, skipped = compete(Path(name), asked.repeat)
    print(table(rows, COLUMNS))
    for reader, reason in skipped.items():
        print(f"{reader} did not run: {reason}")
    machine = facts(["polars", "pyarrow", "datasets"])
    rows = [{key: value for key, value in row.items() if key not in ("samples", "mb")} for row in rows]
    save(asked.json, [{**row, "n": asked.rows, "skipped": skipped, "machine": machine} for row in rows])


if __name__ == "__main__":
    main()
