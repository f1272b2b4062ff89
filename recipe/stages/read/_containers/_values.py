"""Batches of Arrow columns -> records of plain Python, in which a `Medium` stands for the bytes of a picture."""

from __future__ import annotations

import base64
import math
from contextlib import contextmanager
from datetime import date, time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recipe.data.media import Medium
from recipe.data.signatures import HEAD, UNKNOWN, ending_of, medium_of
from recipe.errors import InputError
from recipe.stages.read._containers.places import in_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Keys = tuple[int, *tuple[str | int, ...]]  # number of a record, and the keys that lead to a value in it

BYTES = 1 << 25  # of a batch: what is held in memory at a time, if its records are of one size
ROWS = 8192  # of a batch, at most
_BROKEN = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, ArithmeticError, MemoryError, RecursionError)
_PLAIN = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever Arrow raises about a damaged file into an error of one line."""
    try:
        yield
    except _BROKEN as error:
        why = (getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__)[:200]
        raise InputError(f"{path}: cannot be read as {what} ({why}); fetch or write the file again") from None


def rows_of(batch: pa.RecordBatch, first: int) -> Iterator[dict[str, Any]]:
    """Yield the records of a batch.

    Parameters
    ----------
    batch
        From any file; it is checked before it is believed.
    first
        The number of its first record in the file.

    Yields
    ------
    dict
        Column to value: what JSON can hold, and `Medium` for a ``struct{bytes, path}`` and for the bytes of a picture.
        NaN and the infinities are None; a text that is not UTF-8 has lone surrogates; times are in ISO format.
    """
    sound = is_sound(batch)
    names = batch.schema.names
    columns = [column_of(name, batch.column(i), first, sound=sound) for i, name in enumerate(names)]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def is_sound(batch: pa.RecordBatch) -> bool:
    """Return whether all texts are UTF-8; raise if an offset or an index leads out of the batch."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
        batch.validate()
        for column in batch.columns:
            _check_offsets(column)
        return False
    return True


def _check_offsets(column: pa.Array) -> None:
    """Raise if an offset of a list or a text leads out of it: a full check ends at the first text that is not UTF-8."""
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        _check_offsets(column.storage)
    elif isinstance(column, pa.StructArray):
        for number in range(kind.num_fields):
            _check_offsets(column.field(number))
    elif isinstance(column, pa.FixedSizeListArray):
        _check_offsets(column.values)
    elif isinstance(column, pa.ListArray | pa.LargeListArray):
        _check_rising(column, "q" if isinstance(column, pa.LargeListArray) else "i", len(column.values))
        _check_offsets(column.values)
    elif pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        content = column.buffers()[2]
        _check_rising(column, "q" if pa.types.is_large_string(kind) else "i", 0 if content is None else content.size)


def _check_rising(column: pa.Array, code: str, most: int) -> None:
    """Raise if the offsets of a column fall, or end beyond what they are of."""
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return
    offsets = np.frombuffer(buffer, code)[column.offset : column.offset + len(column) + 1]
    if len(offsets) <= len(column) or offsets[0] < 0 or (np.diff(offsets) < 0).any() or offsets[-1] > most:
        raise pa.ArrowInvalid("an offset leads out of its column")


def column_of(name: str, column: pa.Array, first: int, *, sound: bool) -> list[Any]:
    """Return the values of a column; those of a dictionary are shared: each record may name the same long one."""
    if isinstance(column, pa.DictionaryArray) and not _has_bytes(column.type):
        known = [*column_of(name, column.dictionary, 0, sound=sound), None]
        return [known[-1 if at is None else at] for at in column.indices.to_pylist()]
    column = _stored(column)
    if sound and _has(column.type, _PLAIN):
        values: list[Any] = column.to_pylist()
        return values
    if sound and not _has_bytes(column.type):
        return [_json(value) for value in column.to_pylist()]
    return [_value(column[i], (first + i, name)) for i in range(len(column))]


def dictionaries_in(column: pa.Array) -> Iterator[pa.Array]:
    """Yield the dictionaries of a column, and of what its lists and structs hold."""
    if isinstance(column, pa.ExtensionArray):
        yield from dictionaries_in(column.storage)
    elif isinstance(column, pa.DictionaryArray):
        yield column.dictionary
    elif isinstance(column, pa.StructArray):
        for part in column.flatten():
            yield from dictionaries_in(part)
    elif isinstance(column, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        yield from dictionaries_in(column.values)


def _stored(column: pa.Array) -> pa.Array:
    """Return what an extension stores, and the values of a dictionary."""
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def _has(kind: pa.DataType, tests: tuple[Callable[[pa.DataType], bool], ...]) -> bool:
    """Return whether all leaves of a type are of some kinds; its branches are lists and structs."""
    if pa.types.is_map(kind) or pa.types.is_dictionary(kind):
        return False
    if kind.num_fields:
        return all(_has(kind.field(i).type, tests) for i in range(kind.num_fields))
    return any(test(kind) for test in tests)


def _has_bytes(kind: pa.DataType) -> bool:
    """Return whether a type has bytes anywhere."""
    if isinstance(kind, pa.BaseExtensionType):
        return _has_bytes(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _has_bytes(kind.value_type)
    return _is_bytes(kind) or any(_has_bytes(kind.field(i).type) for i in range(kind.num_fields))


def _is_bytes(kind: pa.DataType) -> bool:
    """Return whether a type is that of bytes, of any width."""
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(test(kind) for test in tests)


def _value(scalar: pa.Scalar, place: Keys) -> Any:
    """Return one value of any type as plain Python, in which a medium stands for bytes."""
    scalar = _bare(scalar)
    if scalar is None:
        return None
    if isinstance(scalar, pa.StructScalar) and is_medium(scalar.type):
        return _medium(scalar, place)
    if isinstance(scalar, pa.StructScalar):
        return {name: _value(scalar[i], (*place, name)) for i, name in enumerate(f.name for f in scalar.type)}
    return _leaf(scalar, place)


def _leaf(scalar: pa.Scalar, place: Keys) -> Any:
    """Return a value that is no struct."""
    if isinstance(scalar, pa.ListScalar) and not isinstance(scalar, pa.MapScalar):
        return [_value(one, (*place, i)) for i, one in enumerate(scalar.values)]
    if isinstance(scalar, pa.StringScalar | pa.LargeStringScalar | pa.StringViewScalar):
        return bytes(scalar.as_buffer()).decode(errors="surrogateescape")
    if _is_bytes(scalar.type):
        return _bytes(memoryview(scalar.as_buffer()), place)
    return _json(scalar.as_py())


def is_medium(kind: pa.DataType) -> bool:
    """Return whether a type is Hugging Face's ``struct{bytes, path}``, in either order.

    Examples
    --------
    >>> is_medium(pa.struct({"bytes": pa.binary(), "path": pa.string()})), is_medium(pa.binary())
    (True, False)
    """
    if not pa.types.is_struct(kind):
        return False
    fields = {field.name: field.type for field in kind}
    return fields.keys() == {"bytes", "path"} and (_is_bytes(fields["bytes"]) or pa.types.is_null(fields["bytes"]))


def _medium(scalar: pa.StructScalar, place: Keys) -> Medium | dict[str, Any] | None:
    """Return the medium of a ``struct{bytes, path}``; None if it has neither."""
    path = _value(scalar["path"], place) or None
    path = path if isinstance(path, str) else None
    content = scalar["bytes"]
    view = memoryview(content.as_buffer() if content.is_valid and content.type != pa.null() else b"")
    if view:
        return medium_of(view, path=path, place=in_record(*place))
    if content.is_valid and content.type != pa.null():
        return {"bytes": "", "path": path}  # a file of nothing: its reader says so
    return None if path is None else Medium(path=path)


def _bytes(view: memoryview, place: Keys) -> Any:
    """Return a medium for bytes that are one, the text that they spell, or base64."""
    if ending_of(bytes(view[:HEAD])) != UNKNOWN:
        return medium_of(view, place=in_record(*place))
    return _spelled(bytes(view))


def _spelled(content: bytes) -> str:
    """Return the text that bytes spell, or base64."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def _json(value: Any) -> Any:
    """Return a value of Arrow as one that JSON can hold."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        named = value and all(isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str) for one in value)  # noqa: PLR2004  a map
        return {name: _json(one) for name, one in value} if named else [_json(one) for one in value]
    if isinstance(value, dict):
        return {name: _json(one) for name, one in value.items()}
    return _text(value)


def _text(value: Any) -> str:
    """Return bytes in base64, a time in ISO format, and anything else as Python shows it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date | time) else str(value)  # a datetime is a date


def value_in(batch: pa.RecordBatch, at: int, keys: list[str]) -> Any:
    """Return the value to which some keys lead in a row of a batch; None where there is none."""
    column = batch.schema.get_field_index(keys[0])
    return found(batch.column(column)[at], keys[1:]) if column >= 0 else None


def found(scalar: pa.Scalar, keys: list[str]) -> Any:
    """Return the bytes, or the text, to which some keys lead in a value; None if they lead nowhere."""
    for key in keys:
        scalar = _bare(scalar)
        if isinstance(scalar, pa.StructScalar):
            scalar = scalar[key] if scalar.type.get_field_index(key) >= 0 else None
        elif isinstance(scalar, pa.ListScalar) and key.isdecimal() and int(key) < len(scalar.values):
            scalar = scalar.values[int(key)]
        else:
            return None
    scalar = _bare(scalar)
    if isinstance(scalar, pa.StructScalar) and is_medium(scalar.type):
        return scalar["bytes"].as_py()
    value = None if scalar is None else scalar.as_py()
    return _spelled(value) if isinstance(value, bytes) and ending_of(value[:HEAD]) == UNKNOWN else value


def _bare(scalar: pa.Scalar | None) -> pa.Scalar | None:
    """Return what an extension stores or an index names; None of null."""
    while isinstance(scalar, pa.ExtensionScalar | pa.DictionaryScalar):
        scalar = scalar.value
    return scalar if scalar is not None and scalar.is_valid else None
