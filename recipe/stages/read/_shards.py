"""Cut files into pieces, read each on a worker into a table on disk, and merge the tables into shards of a pool."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any

import polars as pl

from recipe.data.checkpoint import SHARD, Shards
from recipe.data.pool import SCHEMA
from recipe.engine import spread
from recipe.errors import InputError
from recipe.io.arrow import map_table, write_table
from recipe.io.hashes import check_unchanged
from recipe.stages.read._checks import reader_of
from recipe.stages.read._containers import JSON, container_of, module_of
from recipe.stages.read._detect import is_known, no_record, recognise
from recipe.stages.read._entry import Context, Entry, dump
from recipe.stages.read._images import Images
from recipe.stages.read._json import Malformed, Undecodable, bytes_of, decode, read_entries
from recipe.stages.read._json.cut import cut
from recipe.stages.read._records import Taken, context_of, records_of, sampled, usual
from recipe.stages.read._rows import Rows, in_key_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from recipe.io.hashes import Seen
    from recipe.io.store import Store
    from recipe.stages.read._detect import Format
    from recipe.stages.read._json import Found
    from recipe.stages.read._piece import Options, Piece

PIECE = 16_000_000  # approximate bytes of a piece; a worker needs about ten times as much memory to read it


class Broken(Exception):  # noqa: N818  caught inside this stage
    """A piece that is not valid JSON by itself; the cause can only be found by reading the whole file."""


def pieces_of(whole: Piece, *, lenient: bool) -> list[Piece]:
    """Cut a large file into pieces of a known format; a file that cannot be cut is one piece.

    Parameters
    ----------
    whole
        A file, and the reader that the user names, or None to recognise it by its first piece.
    lenient
        As for `recipe.read_pool`.
    """
    path = whole.file.path
    try:
        if whole.file.take is not None:
            return [whole]
        container = container_of(path)
        spans = cut(path, piece=PIECE) if container == JSON else module_of(container).spans(path, PIECE)
        if not spans or len(spans) == 1:
            return [whole]
        reader = whole.format or _recognised(whole._replace(span=spans[0]), lenient=lenient)
    except (OSError, InputError, Undecodable):
        return [whole]  # reading it whole reports the error
    return [whole._replace(format=reader, span=span) for span in spans] if isinstance(reader, str) else [whole]


def _recognised(piece: Piece, *, lenient: bool) -> Format:
    """Return the reader of a file by its first piece."""
    heads, _ = sampled(records_of(piece, lenient=lenient))
    return recognise(heads, piece.file.path, lenient=lenient, beside=piece.file.beside)


def read_piece(piece: Piece, options: Options) -> pl.DataFrame:
    """Read a piece into a table in the order of the file.

    Raises
    ------
    Broken
        If it is a range of a file and not valid JSON.
    InputError
        If it is a whole file that cannot be read, or has changed since it was hashed.
    """
    try:
        return _read(piece, options)
    finally:  # a file that was cut while it was read is first of all a file that changed
        check_unchanged(piece.seen)


def _read(piece: Piece, options: Options) -> pl.DataFrame:
    """Read a piece of a file, which may change meanwhile."""
    path, lenient = piece.file.path, options.lenient
    images = _images(piece.beside, options.images, piece.seen[1:])
    context = context_of(piece, options, images)
    rows = Rows(piece.file.source, image_token=options.image_token, frame=options.boxes_frame)
    with _collector_off():
        try:
            entries = records_of(piece, lenient=lenient)
        except Undecodable as error:
            raise Broken from error
        heads, entries = sampled(entries)
        known = piece.format or recognise(heads, path, lenient=lenient, beside=piece.file.beside)
        read = reader_of(known, mixed=piece.mixed)
        if (container := container_of(path)) in ("parquet", "arrow") and not lenient:
            from recipe.stages.read import _columnar  # noqa: PLC0415  pyarrow, which other pools need not wait for

            if _columnar.is_columnar(piece, container, known, context):
                one = partial(_samples, read=read, context=context, piece=piece, lenient=lenient)
                return _columnar.read_columns(piece, container, context, options, one)
        numbers = entries.numbers if isinstance(entries, Taken) else count()
        for number, entry in zip(numbers, entries, strict=False):  # either ends where the records do
            context.where.number = number  # type: ignore[union-attr]
            for sample in _samples(entry, read, context, piece, lenient=lenient):
                rows.add(sample)
        return rows.frame()


def _samples(
    entry: Found | dict[str, Any],
    read: Callable[..., Sequence[Entry]],
    context: Context,
    piece: Piece,
    *,
    lenient: bool,
) -> Sequence[Entry]:
    """Read the samples of one entry of a file."""
    try:
        value = usual(entry if isinstance(entry, dict) else decode(entry), context)
        if isinstance(value, list) and value and all(is_known(one) for one in value):  # packed (Qwen-VL)
            return [sample for one in value for sample in read(one, context)]
        return read(value, context) if isinstance(value, dict) else [no_record(value)]
    except (Undecodable, RecursionError) as error:
        if isinstance(error, Malformed) and piece.span:
            raise Broken from error
        if isinstance(error, Malformed) and not lenient:
            read_entries(context.path, walk=True)  # raises an error with the exact position
        return [Entry([], problem=f"bad_json:{error}", raw=dump(entry) if isinstance(entry, dict) else bytes_of(entry))]


def read_shards(pieces: Sequence[Piece], options: Options, store: Store, stage: str) -> Shards:
    """Read pieces on all cores into Arrow files of about 65,536 rows, in key order over all of them.

    Keys are uniform hashes, so a shard is a range of keys: each piece is written in key order, and each shard gathers
    its range from all pieces. A restarted job does not repeat finished work. O(n log n) time, and the memory of a few
    shards.

    Parameters
    ----------
    pieces
        In reading order.
    options
        How to read them.
    store, stage
        Where the files go.

    Returns
    -------
    Shards
        The files and their first rows.
    """
    done = f"{stage}/done.json"
    known = store.get_json(done)["starts"] if store.has(done) else [0]
    if len(known) == 1 or not all(store.has(_shard(stage, shard)) for shard in range(len(known) - 1)):
        tables = _tables(pieces, options, store, stage)
        heights = [map_table(store.get(name)).height for name, _ in tables]
        count = max(1, -(-sum(heights) // SHARD))
        offsets = _offsets([file for _, file in tables], heights)
        merge = partial(_merge, store, stage, [name for name, _ in tables], offsets, count)
        todo = [shard for shard in range(count) if not store.has(_shard(stage, shard))]
        spread(merge, todo, label="read: merge")
        ends = [0]
        for shard in range(count):
            ends.append(ends[-1] + map_table(store.get(_shard(stage, shard))).height)
        store.put_json(done, {"starts": ends})
        for name, _ in tables:
            store.remove(name)
    starts = store.get_json(done)["starts"]
    return Shards(store, tuple(_shard(stage, shard) for shard in range(len(starts) - 1)), tuple(starts))


def _tables(pieces: Sequence[Piece], options: Options, store: Store, stage: str) -> list[tuple[str, str]]:
    """Read every piece, and return the names of the tables and of their files; a broken file is read whole instead."""
    named = [(f"{stage}/piece-{number:05}.arrow", piece) for number, piece in enumerate(pieces)]
    while True:
        todo = [one for one in named if not store.has(one[0])]
        sound = spread(partial(_write_piece, options, store), todo, label="read")
        if all(sound):
            return [(name, piece.file.source) for name, piece in named]
        broken = {piece.file.path for (_, piece), fine in zip(todo, sound, strict=True) if not fine}
        firsts: set[Path] = set()
        kept = []
        for name, piece in named:
            if piece.file.path not in broken:
                kept.append((name, piece))
            elif piece.file.path not in firsts:
                firsts.add(piece.file.path)
                kept.append((name.replace("piece", "whole"), piece._replace(span=None, format=None)))
        named = kept


def _write_piece(options: Options, store: Store, named: tuple[str, Piece]) -> bool:
    """Read a piece and write its table in key order; false if it is broken."""
    name, piece = named
    try:
        table = read_piece(piece, options)
    except Broken:
        return False
    with store.writing(name) as file:
        write_table(table.sort("key", maintain_order=True), file)
    return True


def _offsets(files: Sequence[str], heights: Sequence[int]) -> list[tuple[int, int]]:
    """Return for each table how many rows were read before it: from its file, and in total."""
    offsets, before, of_file = [], 0, dict.fromkeys(files, 0)
    for file, height in zip(files, heights, strict=True):
        offsets.append((of_file[file], before))
        of_file[file] += height
        before += height
    return offsets


def _merge(  # noqa: PLR0917  all but the shard are bound by `partial`
    store: Store, stage: str, tables: Sequence[str], offsets: Sequence[tuple[int, int]], count: int, shard: int
) -> None:
    """Gather a range of keys from all tables into one shard."""
    low, high = f"{shard * 16**8 // count:08x}", f"{(shard + 1) * 16**8 // count:08x}" if shard + 1 < count else "g"
    ranges = []
    for name, (of_file, before) in zip(tables, offsets, strict=True):
        table = map_table(store.get(name))
        first, last = (int(table["key"].search_sorted(edge, side="left")) for edge in (low, high))
        ranges.append(
            table.slice(first, last - first).with_columns(
                order=pl.col("record").cast(pl.UInt32) + before, record=pl.col("record") + of_file
            )
        )
    merged = in_key_order(pl.concat(ranges, how="vertical", rechunk=False))
    with store.writing(_shard(stage, shard)) as file:
        write_table(merged.select(pl.col(n).cast(t) for n, t in SCHEMA.items() if n != "row"), file)


def _shard(stage: str, number: int) -> str:
    """Name a shard."""
    return f"{stage}/shard-{number:05}.arrow"


@lru_cache(maxsize=4)
def _images(beside: Path | None, folder: Path | None, _: tuple[Seen, ...]) -> Images:
    """Load the paths and sizes of images, once in each process for each state of their file."""
    return Images(beside, folder)


@contextmanager
def _collector_off() -> Iterator[None]:
    """Switch off the garbage collector, which would scan all records again and again while they are read."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
