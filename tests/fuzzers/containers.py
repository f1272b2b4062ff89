"""Damaged and odd containers of records: Parquet, Arrow, tar, tables, packed JSON, and what is none of them.

Sound files are made here in every container, with pictures and odd types; the cases of `RECIPE_CASES` are added where
they are there. Their bytes are damaged, or a table of odd columns is written soundly. Each is told apart, cut, read in
whole and in ranges, read as a pool, and its pictures are found by their places.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fuzzers.damage import damaged

from recipe.data.media import media_of
from recipe.data.signatures import hash_of
from recipe.errors import RecipeError
from recipe.stages.read import read_pool
from recipe.stages.read._containers import container_of, module_of
from recipe.stages.read._containers.pictures import picture_bytes

CASES = Path(os.environ.get("RECIPE_CASES", Path(__file__).parents[3] / "shared" / "cases"))
ENDINGS = (".parquet", ".arrow", ".tar", ".tsv", ".csv", ".json", ".jsonl")
LARGEST = 40_000  # bytes of a case that is damaged thousands of times
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x05"
TURNS = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A jay, é."}]
RECORDS = [
    {"id": f"r{n}", "image": {"bytes": PNG + bytes(n), "path": "a.png"}, "conversations": TURNS} for n in range(9)
]
VALUES = {
    pa.string(): ["a", "", None, "é\0", "x" * 99],
    pa.binary(): [PNG, b"", None, b"\xff\xfe", b"text"],
    pa.int64(): [0, -1, None, 2**62],
    pa.float32(): [0.5, float("nan"), float("inf"), None],
    pa.bool_(): [True, False, None],
    pa.timestamp("ns"): [0, None, 2**62, -(2**62)],
    pa.date32(): [0, None, 2**31 - 1, -(2**31)],
    pa.duration("ns"): [0, None, 2**62],
    pa.decimal128(9, 2): [None],
    pa.null(): [None],
}
NAMES = (
    "id",
    "image",
    "images",
    "conversations",
    "messages",
    "texts",
    "question",
    "answer",
    "caption",
    "a/b",
    "",
    "x~",
)


def ipc(table, opened, **options):
    """Return a table as an Arrow file or stream."""
    made = io.BytesIO()
    with opened(made, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=4)
    return made.getvalue()


def parquet(table, **options):
    """Return a table as Parquet."""
    made = io.BytesIO()
    pq.write_table(table, made, row_group_size=4, **options)
    return made.getvalue()


def shard(mode="w"):
    """Return a tar of three samples."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=tarfile.PAX_FORMAT) as archive:
        for number in range(3):
            for ending, content in (("png", PNG), ("json", b'{"caption": "A jay."}'), ("txt", "Né.".encode())):
                entry = tarfile.TarInfo(f"{'é' * 60 * (number == 1)}{number}.{ending}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def prepare(folder):  # noqa: ARG001  as of every target
    """Return sound files with their endings."""
    table = pa.Table.from_pylist(RECORDS)
    coded = table.set_column(0, "id", table["id"].dictionary_encode())
    sheet = b'index\timage\tquestion\tA\tanswer\n0\tiVBORw0KGgo=\t"Who\nis ""it""?"\tx\tA\n1\t\t12" b\ty\tA\n'
    json = b'[{"id": "a", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}]'
    made = [
        (parquet(table), ".parquet"),
        (parquet(coded, compression="zstd", use_dictionary=True, data_page_version="2.0"), ".parquet"),
        (parquet(table, compression="none", use_dictionary=False, write_page_index=True), ".parquet"),
        *((ipc(table, opened), ".arrow") for opened in (pa.ipc.new_file, pa.ipc.new_stream)),
        (ipc(coded, pa.ipc.new_file, compression="lz4"), ".arrow"),
        (ipc(coded, pa.ipc.new_stream, compression="zstd"), ".arrow"),
        *((shard(mode), ".tar") for mode in ("w", "w:gz", "w:bz2", "w:xz")),
        (sheet, ".tsv"),
        (gzip.compress(sheet), ".tsv.gz"),
        *((pack(json), ".json") for pack in (gzip.compress, bz2.compress, lzma.compress)),
    ]
    real = [file for file in CASES.rglob("*") if file.suffix in ENDINGS] if CASES.is_dir() else []
    return made + [(file.read_bytes(), file.suffix) for file in sorted(real) if file.stat().st_size < LARGEST]


def odd_type(rng, depth=0):
    """Return a type, nested or not."""
    kind = rng.choice(("leaf", "leaf", "list", "struct", "turns", "picture", "map")) if depth < 3 else "leaf"
    if kind == "list":
        return pa.list_(odd_type(rng, depth + 1))
    if kind == "struct":
        return pa.struct({rng.choice(NAMES): odd_type(rng, depth + 1) for _ in range(rng.randrange(1, 3))})
    if kind == "turns":
        return pa.list_(pa.struct({"from": pa.string(), "value": rng.choice((pa.string(), pa.binary()))}))
    if kind == "picture":
        return pa.struct({"bytes": pa.binary(), "path": pa.string()})
    return pa.map_(pa.string(), odd_type(rng, depth + 1)) if kind == "map" else rng.choice(list(VALUES))


def odd_value(rng, kind):
    """Return a value of a type."""
    if rng.random() < 0.15:
        return None
    if pa.types.is_map(kind):
        return [(f"k{n}", odd_value(rng, kind.item_type)) for n in range(rng.randrange(3))]
    if pa.types.is_list(kind):
        return [odd_value(rng, kind.value_type) for _ in range(rng.randrange(3))]
    if pa.types.is_struct(kind):
        return {field.name: odd_value(rng, field.type) for field in kind}
    return rng.choice(VALUES[kind])


def odd_table(rng):
    """Return a sound file with odd columns, and its ending."""
    columns = {name: odd_type(rng) for name in rng.sample(NAMES, rng.randrange(1, 5))}
    rows = rng.randrange(6)
    table = pa.table({name: pa.array([odd_value(rng, k) for _ in range(rows)], k) for name, k in columns.items()})
    if rng.random() < 0.5:
        return ipc(table, rng.choice((pa.ipc.new_file, pa.ipc.new_stream))), ".arrow"
    return parquet(table), ".parquet"


def attempt(rng, state, folder):
    """Read one odd file by all doors."""
    if rng.random() < 0.3:
        data, ending = odd_table(rng)
    else:
        data, ending = rng.choice(state)
        data = damaged(data, [one for one, _ in state], rng)
    for old in folder.iterdir():
        old.unlink()
    path = folder / f"odd{ending}"
    path.write_bytes(data)
    refused = None
    for door in (_records, _pool):
        try:
            door(rng, path)
        except RecipeError as error:
            assert "\n" not in str(error), f"more than one line: {error!r}"  # noqa: PT017  nothing may be raised at all
            refused = error
    if refused:
        raise refused


def _records(rng, path):
    """Read the records of a container, in whole and in ranges, which must be the same."""
    container = container_of(path)
    if container != "json":
        module = module_of(container)
        whole = list(module.records(path))
        spans = module.spans(path, rng.choice((1, 500)))
        assert not spans or [record for span in spans for record in module.records(path, span)] == whole


def _pool(rng, path):
    """Read a pool, and find its pictures."""
    pool = read_pool(path, lenient=rng.random() < 0.5)
    shown = [one for row in pool.rows.select("image", "media").iter_rows() for one in media_of(*row) if one.hash]
    found = picture_bytes(path, [one.place for one in shown])
    assert [hash_of([content]) for content in found] == [one.hash for one in shown]
