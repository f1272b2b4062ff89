"""Bytes of a file -> its entries, whatever the container: array, JSON Lines, one record, wrapped, or keyed by id."""

from __future__ import annotations

import gzip
import json
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from json.decoder import JSONDecodeError
from typing import TYPE_CHECKING, Any

import msgspec

from recipe.errors import InputError
from recipe.read._scan import members, values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Slice = str | msgspec.Raw  # the text of one JSON value

_ENCODINGS = {  # the longer marks first: UTF-32's little-endian mark starts with UTF-16's
    BOM_UTF32_LE: "utf-32",
    BOM_UTF32_BE: "utf-32",
    BOM_UTF16_LE: "utf-16",
    BOM_UTF16_BE: "utf-16",
    BOM_UTF8: "utf-8-sig",
}
_GZIP = b"\x1f\x8b"
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode = msgspec.json.Decoder().decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_lines = msgspec.json.Decoder(msgspec.Raw).decode_lines


class Undecodable(Exception):  # noqa: N818  it travels inside this room only and says what a record is
    """A record that is sound as a part of its file but that Python or JSON cannot hold."""


def read_entries(path: Path) -> Sequence[Slice]:
    """Return the text of every entry of a file, in its order, none decoded yet.

    Parameters
    ----------
    path
        A file of JSON, plain or gzip, UTF-8 or with the byte-order mark of UTF-8, -16 or -32.

    Returns
    -------
    sequence of str or msgspec.Raw
        One JSON value an entry, for `decode`.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, is not text, or is not JSON.
    """
    data = _load(path)
    if not data.strip():
        raise InputError(f"{path}: expected JSON, got an empty file; remove it from the sources, or restore it")
    try:
        return _entries(data)
    except _REFUSED:  # NaN, deep nesting, or damage: walk the text to tell which
        try:
            return _entries_of_text(data.decode())
        except JSONDecodeError as error:
            raise _malformed(path, error) from error


def decode(entry: Slice, path: Path, record: int) -> Any:
    """Decode one entry.

    Parameters
    ----------
    entry
        Its text.
    path, record
        Where it stands, for the message.

    Returns
    -------
    object
        The value; strings may hold lone surrogates.

    Raises
    ------
    Undecodable
        If the entry holds NaN, an infinity, a number beyond the range of a float, or is nested too deep.
    InputError
        If the entry is not JSON.
    """
    try:
        return _decode(entry)
    except _REFUSED:
        text = text_of(entry)
        try:
            return json.loads(text, parse_constant=_refuse, parse_float=_finite)
        except JSONDecodeError as error:
            raise _malformed(path, error, f"record {record}: ") from error
        except RecursionError as error:
            raise Undecodable("nested too deep") from error
        except ValueError as error:  # an integer of more digits than Python converts
            raise Undecodable(str(error)) from error


def text_of(entry: Slice) -> str:
    """Return an entry as text."""
    return entry if isinstance(entry, str) else bytes(entry).decode()


def _first(entry: Slice) -> str:
    """Return the character with which a value begins, without copying the value."""
    return entry[:1] if isinstance(entry, str) else chr(memoryview(entry)[0])


def _load(path: Path) -> bytes:
    """Return the UTF-8 text of a file, unpacked and without its mark."""
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({why}); check that it is a complete, readable file") from error
    encoding = next((name for mark, name in _ENCODINGS.items() if data.startswith(mark)), None)
    try:
        if encoding:
            return data.decode(encoding).encode()
        data.decode()  # the decoder does not look into strings before they are asked for
    except UnicodeError as error:
        at = f"byte {error.start}" if isinstance(error, UnicodeDecodeError) else "its text"
        raise InputError(
            f"{path}: expected {encoding or 'UTF-8'}, got other bytes at {at}; convert it to UTF-8"
        ) from error
    return data


def _entries(data: bytes) -> Sequence[Slice]:
    """Split sound JSON, fast."""
    if data.lstrip()[:1] != b"{":
        return _decode_array(data)
    try:
        return _unwrap(_decode_object(data), data)
    except msgspec.DecodeError:
        return _decode_lines(data)


def _entries_of_text(text: str) -> Sequence[Slice]:
    """Split JSON that the fast decoder refuses, by walking over it; raise at the place where it breaks off."""
    start = len(text) - len(text.lstrip())
    if text[start] == "[":
        return [text[a:b] for a, b in values(text, start)]
    if text[start] != "{":
        raise JSONDecodeError("neither an array nor an object", text, start)
    whole = [text[a:b] for a, b in values(text, None)]
    return whole if len(whole) > 1 else _unwrap({k: text[a:b] for k, (a, b) in members(text, start)}, text)


def _unwrap(top: dict[str, Any], data: bytes | str) -> Sequence[Slice]:
    """Split an object: around one array, keyed by id, or itself the only record.

    Every format keeps its turns under `conversations`, so an object with that key is a record.
    """
    whole: list[Slice] = [data if isinstance(data, str) else msgspec.Raw(data)]
    if not top or "conversations" in top:
        return whole
    arrays = [value for value in top.values() if _first(value) == "["]
    if len(arrays) == 1:
        try:
            return _decode_array(arrays[0])
        except _REFUSED:
            array = text_of(arrays[0])
            return [array[a:b] for a, b in values(array, 0)]
    if all(_first(value) == "{" for value in top.values()):
        return [_with_id(key, text_of(value)) for key, value in top.items()]
    return whole


def _with_id(key: str, record: str) -> str:
    """Put the key under which a record stood into it; an id of its own comes later in the text and so wins."""
    rest = record[1:].lstrip()
    return f'{{"id":{json.dumps(key)}{"" if rest.startswith("}") else ","}{rest}'


def _malformed(path: Path, error: JSONDecodeError, where: str = "") -> InputError:
    """Say where a file stops being JSON."""
    place = f"line {error.lineno}, column {error.colno}"
    what = error.msg.removesuffix(" at").removesuffix(" starting")
    return InputError(f"{path}: expected JSON, which breaks at {place} ({where}{what}); repair the file")


def _refuse(name: str) -> float:
    """Refuse NaN and the infinities, which no other JSON reader takes."""
    raise Undecodable(name)


def _finite(number: str) -> float:
    """Read a number, unless a float cannot hold it."""
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise Undecodable(f"{number} is beyond the range of a float")
    return value
