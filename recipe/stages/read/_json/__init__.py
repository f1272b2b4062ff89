"""Text of a file -> its entries, for any container: array, JSON Lines, one record, wrapped, or keyed by id."""

from __future__ import annotations

import json
from json.decoder import JSONDecodeError
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from recipe.errors import InputError
from recipe.stages.read._containers.packed import MB
from recipe.stages.read._json.join import joined
from recipe.stages.read._json.load import load
from recipe.stages.read._json.scan import depth_exceeds, members, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recipe.stages.read._json.cut import Span
    from recipe.stages.read._json.load import Loaded
    from recipe.stages.read._json.scan import Piece


LARGEST = 64 * MB  # bytes of a record; the longest real ones have a few kilobytes
DEEPEST = 100  # nesting depth of a record; LLaVA's have four

_OF_RECORDS = {  # keys of turns, and of what stands in their place
    *("conversations", "messages", "texts", "conversation", "conversatons"),
    *("instruction", "query", "question", "prompt", "caption", "sentences"),
}
_REFUSED = (msgspec.DecodeError, UnicodeError, RecursionError)
_KEPT = "surrogateescape"  # bytes that are not UTF-8 become lone surrogates, which readers detect
_decode = msgspec.json.Decoder().decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_lines = msgspec.json.Decoder(msgspec.Raw).decode_lines


class Damage(NamedTuple):
    """A damaged section of a file."""

    text: str
    why: str


Slice = str | msgspec.Raw  # the text of one JSON value
Found = Slice | Damage


class Undecodable(Exception):  # noqa: N818  caught inside this stage, and named after the record
    """A record that leaves the rest of its file readable but that Python or JSON cannot represent."""


class Malformed(Undecodable):
    """A record that turned out not to be JSON when it was decoded."""


def read_entries(
    path: Path, *, lenient: bool = False, walk: bool = False, companion: Path | None = None
) -> Sequence[Found]:
    """Return the text of every entry of a file, in order, not yet decoded.

    Parameters
    ----------
    path
        A file of JSON, as for `recipe.stages.read._json.load.load`.
    lenient
        Whether to return the valid entries of a damaged file, and each damaged section in its place.
    walk
        Whether to parse the text value by value, which is slow but finds every damage.
    companion
        The file that this one is read with, see `recipe.stages.read._json.join`.

    Returns
    -------
    sequence of str, msgspec.Raw or Damage
        One JSON value per entry, for `decode`.

    Raises
    ------
    InputError
        If the file cannot be read; unless lenient, also if it is empty, is not text, or is not JSON.
    """
    loaded = load(path, lenient=lenient)
    lost = [Damage("", f"{loaded.loss}; what followed is lost")] if loaded.loss else []
    if not loaded.data.strip():
        if not lenient:
            raise InputError(f"{path}: expected JSON, got an empty file; remove it from the sources, or restore it")
        return lost or [Damage("", "the file is empty")]
    try:
        entries: Sequence[Found] | None = None if walk else _entries(loaded.data, companion)
    except _REFUSED:  # NaN, deep nesting or damage: parse value by value to find out
        entries = None
    if entries is None:
        entries = _entries_of_text(path, loaded, companion, lenient=lenient)
    return [*entries, *lost] if lost else entries


def read_span(path: Path, span: Span) -> Sequence[Found]:
    """Return the text of every entry in a range of a plain file, not yet decoded.

    Parameters
    ----------
    path
        The file.
    span
        The inside of its array, or lines of it.

    Returns
    -------
    sequence of str or msgspec.Raw
        One JSON value per entry.

    Raises
    ------
    Malformed
        If the range is not valid JSON by itself.
    """
    with path.open("rb") as file:
        file.seek(span.start)
        data = file.read(span.end - span.start)
        file.seek(max(0, span.start - 1))
        lines = span.start == 0 or file.read(1) == b"\n"
    if not lines and not data.strip():
        raise Malformed("a comma without an element")
    try:
        data.decode()
        return _decode_lines(data) if lines else _decode_array(b"[" + data + b"]")
    except UnicodeError as error:
        raise Malformed(str(error)) from error
    except _REFUSED:  # NaN, deep nesting or damage: parse value by value to find out
        text = data.decode() if lines else f"[{data.decode()}]"
        found = list(pieces(text))
        if any(piece.damage or piece.name is not None for piece in found):
            raise Malformed("damage") from None
        return [text[piece.start : piece.end] for piece in found]


def decode(entry: Found) -> Any:
    """Decode one entry.

    Parameters
    ----------
    entry
        Its text.

    Returns
    -------
    object
        The value; strings may contain lone surrogates.

    Raises
    ------
    Undecodable
        If the entry is damaged, contains a number beyond the range of a float, is larger than 64 MB, or nested more
        than 100 brackets deep; the argument says which. NaN and infinities are null.
    """
    if isinstance(entry, Damage):
        raise Undecodable(entry.why)
    _check_limits(entry)
    try:
        return _decode(entry)
    except _REFUSED:
        try:
            return json.loads(text_of(entry), parse_constant=_none, parse_float=_finite)
        except JSONDecodeError as error:
            raise Malformed(error.msg) from error
        except ValueError as error:
            raise Undecodable("an integer of more digits than Python converts") from error


def text_of(entry: Found) -> str:
    """Return an entry as text."""
    if isinstance(entry, Damage):
        return entry.text
    return entry if isinstance(entry, str) else bytes(entry).decode(errors=_KEPT)


def bytes_of(entry: Found) -> bytes:
    """Return an entry as the bytes that were read, in UTF-8."""
    return text_of(entry).encode(errors=_KEPT)


def _check_limits(entry: Slice) -> None:
    """Refuse a record that is too large or too deep, before anything recurses into it."""
    content = bytes_of(entry) if isinstance(entry, str) else bytes(entry)
    if len(content) > LARGEST:
        raise Undecodable(f"{len(content):,} bytes, more than the limit of {LARGEST:,} for a record")
    if content.count(b"[") + content.count(b"{") > DEEPEST and depth_exceeds(text_of(entry), DEEPEST):
        raise Undecodable(f"brackets nested deeper than the limit of {DEEPEST}")


def _entries(data: bytes, companion: Path | None) -> Sequence[Found]:
    """Split valid JSON with the fast decoder."""
    if data.lstrip()[:1] != b"{":
        return _decode_array(data)
    try:
        return _unwrap(_decode_object(data), data, companion)
    except msgspec.DecodeError:
        return _decode_lines(data)


def _entries_of_text(path: Path, loaded: Loaded, companion: Path | None, *, lenient: bool) -> Sequence[Found]:
    """Split JSON that the fast decoder refuses, value by value; damage becomes an entry, or raises an error."""
    text = loaded.data.decode(errors=_KEPT)
    found = list(pieces(text))
    if len(found) == 1 and found[0].damage is None and text.lstrip()[0] == "{":
        inside = {str(p.name): text[p.start : p.end] for p in members(text, found[0].start)}
        return _unwrap(inside, text, companion)
    if not lenient and any(piece.damage for piece in found):
        raise _malformed(path, text, loaded.encoding, found)
    entries: list[Found] = []
    for piece in found:
        content = text[piece.start : piece.end]
        if piece.damage is None:
            entries.append(content if piece.name is None else _with_id(piece.name, content))
        elif content.strip() != ",":  # nothing is lost by an extra comma
            entries.append(Damage(content, _loss(text, loaded.encoding, piece)))
    return entries


def _unwrap(  # noqa: PLR0911  one for each kind
    top: dict[str, Any], data: bytes | str, companion: Path | None
) -> Sequence[Found]:
    """Split an object that wraps one array, is keyed by id, or is itself the only record.

    An object with a key under which formats keep their turns is a record.
    """
    if (tables := joined(top, companion)) is not None:
        return tables
    if top.keys() == {"meta", "data"} and _first(top["data"]) == "{":  # MIMIC-IT
        data = text_of(top["data"])
        return [_with_id(str(p.name), data[p.start : p.end]) for p in members(data, 0)]
    whole: list[Found] = [data if isinstance(data, str) else msgspec.Raw(data)]
    if not top or not _OF_RECORDS.isdisjoint(top):
        return whole
    arrays = [value for value in top.values() if _first(value) == "["]
    if len(arrays) == 1:
        try:
            return _decode_array(arrays[0])
        except _REFUSED:
            array = text_of(arrays[0])
            return [array[piece.start : piece.end] for piece in pieces(array)]
    if all(_first(value) == "{" for value in top.values()):
        text = data if isinstance(data, str) else data.decode(errors=_KEPT)  # two records may have the same id
        return [_with_id(str(p.name), text[p.start : p.end]) for p in members(text, text.index("{"))]
    return whole


def _first(entry: Slice) -> str:
    """Return the character with which a value begins, without copying the value."""
    return entry[:1] if isinstance(entry, str) else chr(memoryview(entry)[0])


def _with_id(key: str, record: str) -> str:
    """Add the key of a record to it as its id; an id of its own comes later in the text and so takes precedence."""
    if not record.startswith("{"):
        return record
    rest = record[1:].lstrip()
    return f'{{"id":{json.dumps(key)}{"" if rest.startswith("}") else ","}{rest}'


def _malformed(path: Path, text: str, encoding: str, found: list[Piece]) -> InputError:
    """Return the error that says where a file stops being JSON, and which is the last valid record before that."""
    number = next(i for i, piece in enumerate(found) if piece.damage)
    piece = found[number]
    line = text.count("\n", 0, piece.at) + 1
    column = piece.at - text.rfind("\n", 0, piece.at)
    place = f"byte {_byte(text, encoding, piece.at)}, line {line}, column {column} ({_plain(piece.damage)})"
    last = "no record before it is valid"
    if number:
        last = f"the last good record is {number - 1}{_id_of(text[found[number - 1].start : found[number - 1].end])}"
    return InputError(
        f"{path}: expected JSON, which breaks at {place}; {last}; repair it, or read its valid records with --lenient"
    )


def _loss(text: str, encoding: str, piece: Piece) -> str:
    """Return which bytes of a file are lost to damage."""
    start, end = _byte(text, encoding, piece.start), _byte(text, encoding, piece.end)
    what = f"{_plain(piece.damage)}, at byte {_byte(text, encoding, piece.at)}"
    return f"{what}; bytes {start} to {end} are lost" if end > start else f"{what}; what followed is lost"


def _id_of(record: str) -> str:
    """Return the id of a record for a message, if it has one."""
    try:
        return f" (id {json.loads(record)['id']!r:.80})"
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""


def _byte(text: str, encoding: str, at: int) -> int:
    """Return the byte offset, in the unpacked file, of a character of its text."""
    return len(text[:at].encode(encoding, _KEPT))


def _plain(message: str | None) -> str:
    """Remove the position from Python's message; it is reported separately."""
    return (message or "").removesuffix(" at").removesuffix(" starting")


def _none(_: str) -> None:
    """Read NaN and the infinities, which JSON has not, as null: in a key that nobody reads they cost nothing."""


def _finite(number: str) -> float:
    """Read a number, unless a float cannot hold it."""
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise Undecodable(f"{number:.40} is beyond the range of a float")
    return value
