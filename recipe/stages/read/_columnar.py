"""Parquet and Arrow of LLaVA's records, column by column: the same rows as record by record, several times as fast.

A record that is not as nearly all are is left to its reader: other speakers, marks in odd places, boxes, no id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from recipe.data.media import Medium, media_column, plain, spelled
from recipe.data.pool import SCHEMA
from recipe.stages.read._containers import module_of
from recipe.stages.read._containers._values import column_of, is_medium, is_sound, rows_of
from recipe.stages.read._dialects.conversation import IDS
from recipe.stages.read._dialects.media import ENDING, KEYS, NO_PICTURE, read_media
from recipe.stages.read._entry import digest, pack_extra
from recipe.stages.read._rows import BOXES, Rows, grouped
from recipe.stages.read.llava import is_usual

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from recipe.stages.read._entry import Context, Entry
    from recipe.stages.read._piece import Options, Piece

    Flags = NDArray[np.bool_]

TURNS, IMAGE, ID, TASK = "conversations", "image", "id", "task_name"
MARK = "<image>\n"
ODD = ["<image>", "<video>", "<audio>", "<img>", "image_", *BOXES]  # in a text that its reader looks at
_ANY = "[<>_]"  # one of these is in each of them
MEANT = {"image_id", *KEYS, *IDS, "conversatons", "objects", "width", "height", "width_list", "height_list"} - {
    IMAGE,
    ID,
}
ROWS = 1 << 16  # of a batch, at most
MANY = 0.2  # share of odd records from which on all of a batch are left to their reader
_encode_lines = msgspec.json.Encoder().encode_lines


def is_columnar(piece: Piece, container: str, reader: object, context: Context) -> bool:
    """Return whether a piece has the columns of LLaVA's records, and no other that a reader looks at.

    Parameters
    ----------
    piece
        Of a file.
    container
        Of the file: parquet or arrow.
    reader
        The name of its reader.
    context
        What is known of the file.
    """
    if reader != "llava" or piece.file.take is not None or context.listed or context.beside:
        return False
    schema = module_of(container).schema_of(piece.file.path)
    kinds = {name: schema.field(i).type for i, name in enumerate(schema.names)}
    return (
        len(kinds) == len(schema)
        and MEANT.isdisjoint(kinds)
        and _are_turns(kinds.pop(TURNS, None))
        and (_is_text(shown := kinds.pop(IMAGE, pa.string())) or is_medium(shown))
        and all(_is_text(kinds.get(name, pa.string())) for name in (ID, TASK))
        and all(_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) for kind in kinds.values())
    )


def read_columns(
    piece: Piece,
    container: str,
    context: Context,
    options: Options,
    read: Callable[[dict[str, Any]], Sequence[Entry]],
) -> pl.DataFrame:
    """Read a piece of which `is_columnar` is true.

    Parameters
    ----------
    piece, container, context, options
        As for `recipe.stages.read._shards.read_piece`.
    read
        Returns the entries of a record that is read by itself.

    Returns
    -------
    polars.DataFrame
        As of `recipe.stages.read._rows.Rows.frame`.
    """
    none = Rows(piece.file.source, image_token=options.image_token, frame=options.boxes_frame).frame()
    tables = [none.drop("record")]
    for batch, first in module_of(container).batches_in(piece.file.path, piece.span, ROWS):
        rows = Rows(piece.file.source, image_token=options.image_token, frame=options.boxes_frame)
        usual, media = _looked_at(batch, first, context)
        at = []
        for number, record in _left(batch, first, usual):
            context.where.number = number - (piece.span.start if piece.span else 0)  # type: ignore[union-attr]
            for entry in read(record):
                rows.add(entry)
                at.append(number - first)
        table = (rows.frame().drop("record") if at else tables[0]).with_columns(at=pl.Series(at, dtype=pl.UInt32))
        if usual.any():
            made = _table(batch.filter(pa.array(usual)), [media[i] for i in np.flatnonzero(usual)] if media else [])
            made = made.with_columns(
                source=pl.lit(piece.file.source),
                frame=pl.lit(options.boxes_frame, pl.String),
                at=pl.Series(np.flatnonzero(usual), dtype=pl.UInt32),
            )
            table = pl.concat([table, made.select(table.columns)]).sort("at", maintain_order=True)
        tables.append(table.drop("at"))
    return pl.concat(tables).with_row_index("record")


def _left(batch: pa.RecordBatch, first: int, usual: Flags) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the record of each that is left to its reader."""
    if not usual.any():
        yield from enumerate(rows_of(batch, first), first)
        return
    for at in np.flatnonzero(~usual).tolist():
        for record in rows_of(batch.slice(at, 1), first + at):
            yield first + at, record


def _looked_at(batch: pa.RecordBatch, first: int, context: Context) -> tuple[Flags, list[Medium | None]]:
    """Return which records are as nearly all are, and the picture of each; no list where there is no such column."""
    if not is_sound(batch):
        return np.zeros(len(batch), np.bool_), []
    usual, marked = _usual_turns(batch.column(TURNS))
    if ID in batch.schema.names:
        usual &= pc.greater(pc.fill_null(pc.binary_length(batch.column(ID)), 0), 0).to_numpy(zero_copy_only=False)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name not in (TURNS, IMAGE, *NO_PICTURE) and _is_text(column.type):  # a text that names a picture's file
            named = pc.match_substring_regex(column.cast(pa.large_string()), ENDING)
            usual &= ~pc.fill_null(named, False).to_numpy(zero_copy_only=False)
    media: list[Medium | None] = []
    if IMAGE in batch.schema.names:
        values = column_of(IMAGE, batch.column(IMAGE), first, sound=True)
        looks = [_picture(value, context) for value in values]
        media = [one for one, _ in looks]
        usual &= np.array([sure for _, sure in looks], np.bool_)
    shown = np.array([one is not None for one in media], np.bool_) if media else np.zeros(len(batch), np.bool_)
    usual &= marked == shown
    return usual if usual.mean() >= 1 - MANY else np.zeros(len(batch), np.bool_), media


def _picture(value: Any, context: Context) -> tuple[Medium | None, bool]:
    """Return the picture of a record, and whether it is as nearly all are."""
    if value is None or value == "":
        return None, True
    if isinstance(value, str):
        return Medium(path=spelled(value)), is_usual({IMAGE: value}, value)
    if not isinstance(value, Medium):  # a file of nothing
        return None, False
    (medium,) = read_media(value, "image", context, IMAGE)
    return medium, medium.kind == "image"


def _usual_turns(lists: pa.ListArray) -> tuple[Flags, Flags]:
    """Return which records have usual turns, and which of these have a mark at the front of their first question."""
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(counts)
    who, said = _turns(lists)
    usual, marked = counts > 0, np.zeros(len(counts), np.bool_)
    sound = who.is_in(["human", "gpt"]).fill_null(value=False) & said.is_not_null()
    usual[_records(ends, np.flatnonzero(~sound.to_numpy()))] = False
    odd = np.flatnonzero(said.str.contains(_ANY).fill_null(value=False).to_numpy())
    odd = odd[said.gather(odd).str.contains_any(ODD).to_numpy()]
    rest = said.gather(odd).str.strip_prefix(MARK)
    front = np.isin(odd, ends - counts) & (who.gather(odd) == "human").fill_null(value=False).to_numpy()
    front &= ~rest.str.contains_any(ODD).to_numpy()
    marked[_records(ends, odd[front])] = True
    usual[_records(ends, odd[~front])] = False
    return usual, marked


def _table(batch: pa.RecordBatch, media: list[Medium | None]) -> pl.DataFrame:
    """Return the table of records that are all as nearly all are."""
    names = [None if one is None else one.name for one in media] or [None] * len(batch)
    ends = np.cumsum(pc.list_value_length(batch.column(TURNS)).to_numpy(zero_copy_only=False).astype(np.int64))
    who, said = _turns(batch.column(TURNS))
    keys = pl.Series("key", _keys(names, who.to_list(), said.to_list(), ends.tolist()), dtype=pl.String)
    shown = [None if one is None or plain([one]) else (one,) for one in media] or [None] * len(batch)
    others = [name for name in batch.schema.names if name not in (TURNS, IMAGE, ID)]
    task = _series(batch.column(TASK)).replace("", None) if TASK in others else None
    return pl.DataFrame(
        {
            "key": keys,
            "id": _series(batch.column(ID)) if ID in batch.schema.names else keys,
            "image": pl.Series(names, dtype=pl.String),
            "extra": pl.Series(_extras(batch.select(others)), dtype=pl.String),
            **grouped(who, said, ends).to_dict(),
        }
    ).with_columns(
        pl.lit(None, pl.String).alias("task_name") if task is None else task.alias("task_name"),
        media_column(shown),
        *(pl.lit(None, pl.String).alias(name) for name in ("problem", "spelling")),
        *(pl.lit(None, SCHEMA[name]).alias(name) for name in ("ratings", "noted")),
    )


def _keys(names: Sequence[str | None], who: Sequence[str], said: Sequence[str], ends: Sequence[int]) -> list[str]:
    """Return the key of each record, as `recipe.stages.read._entry.key_of`."""
    pairs = list(zip(who, said, strict=True))
    starts = [0, *ends[:-1]]
    records = [(name, pairs[a:b]) for name, a, b in zip(names, starts, ends, strict=True)]
    return [digest(line) for line in _encode_lines(records).split(b"\n")[:-1]]


def _extras(others: pa.RecordBatch) -> list[str | None]:
    """Return the other keys of each record as JSON; many records have the same."""
    if not others.num_columns:
        return [None] * len(others)
    known: dict[tuple[Any, ...], str | None] = {}
    found = []
    for values in zip(*(column.to_pylist() for column in others.columns), strict=True):
        if values not in known:
            known[values] = pack_extra(dict(zip(others.schema.names, values, strict=True)))
        found.append(known[values])
    return found


def _turns(lists: pa.ListArray) -> tuple[pl.Series, pl.Series]:
    """Return the speakers and the texts of all turns; null where a turn is."""
    turns = lists.flatten()
    who, said = (_series(part) for part in turns.flatten())
    fields = [field.name for field in turns.type]
    return (who, said) if fields[0] == "from" else (said, who)


def _series(column: pa.Array) -> pl.Series:
    """Return a column of texts for polars."""
    return pl.Series(column.cast(pa.large_string()))


def _records(ends: NDArray[np.int64], turns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the record of each turn."""
    return np.searchsorted(ends, turns, side="right")


def _are_turns(kind: pa.DataType | None) -> bool:
    """Return whether a type is that of lists of ``{from, value}``, and of nothing else."""
    if kind is None or not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    inside = kind.value_type
    fields = {field.name: field.type for field in inside} if pa.types.is_struct(inside) else {}
    return (
        fields.keys() == {"from", "value"} and inside.num_fields == len(fields) and all(map(_is_text, fields.values()))
    )


def _is_text(kind: pa.DataType) -> bool:
    """Return whether a type is that of texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
