"""Tar, as WebDataset and Energon shards are: files with one name up to the first dot of it are one record.

Read by `tarfile` of the standard library: what the library webdataset adds, shuffling and decoding, is not needed here.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from contextlib import contextmanager
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from recipe.data.media import Medium
from recipe.data.signatures import HEAD, ending_of, hash_of, kind_of
from recipe.errors import InputError
from recipe.io.regular import regular
from recipe.stages.read._containers.packed import HEAD as PACKED_HEAD
from recipe.stages.read._containers.packed import Unpacked, packing_of
from recipe.stages.read._containers.places import decoded, value_at
from recipe.stages.read._json import LARGEST, Undecodable, decode
from recipe.stages.read._json.cut import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from recipe.stages.read._containers.places import Place

TEXTS = ("txt", "text", "caption", "cls", "html", "md")  # endings of files that hold a text
_CHUNK = 1 << 20
_BROKEN = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, MemoryError, zlib.error, RecursionError)


def spans(path: Path, piece: int) -> list[Span]:
    """Cut a shard between two records.

    Parameters
    ----------
    path
        A tar file; one that is packed is not cut.
    piece
        Minimum bytes of a range; it ends with the record that reaches this length.

    Returns
    -------
    list of Span
        Bytes of the file. Empty if it is packed, or short.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if path.stat().st_size <= piece or _is_packed(path):
        return []
    edges, key = [0], None
    for member in _members(path, None):
        if (now := split(member.name)[0]) != key and member.offset - edges[-1] >= piece:
            edges.append(member.offset)
        key = now
    edges.append(path.stat().st_size)
    return [Span(a, b) for a, b in pairwise(edges)]


def records(path: Path, span: Span | None = None) -> Iterator[dict[str, Any]]:
    """Yield the records of a shard, or of a range of it, in order.

    Parameters
    ----------
    path
        A tar file, plain or packed.
    span
        One of `spans`.

    Yields
    ------
    dict
        ``{"__key__": "0001", "json": {...}, "txt": "...", "jpg": Medium(...), "img0.jpg": Medium(...)}``: what follows
        the first dot of a file's name, in small letters, to its content; None for a link, and for a picture without
        bytes. Hidden files are passed over.

    Raises
    ------
    InputError
        If the file cannot be read, or is damaged.
    """
    record: dict[str, Any] = {}
    with _opened(path, span) as tar:
        for member in _walk(tar, span):
            key, name = split(member.name)
            if record and (record["__key__"] != key or name in record):
                yield record
                record = {}
            record["__key__"] = key
            record[name] = _content(tar, member, name)
    if record:
        yield record


def picture_bytes(path: Path, places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes at some places, in ascending order of their first; None where the file is shorter.

    Parameters
    ----------
    path
        A tar file, plain or packed.
    places
        Ascending.

    Yields
    ------
    bytes or None
        One for each place.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    inside = [place for place in places if place.pointer is not None]  # before the others in this order
    yield from _in_texts(path, inside)
    with _reading(path), _handle(path) as file:
        for place in places[len(inside) :]:
            file.seek(place.start)
            content = file.read(place.number)
            yield content if 0 < len(content) == place.number else None


def first_record(path: Path, span: Span) -> int:
    """Return the number of the first record of a range of a shard."""
    count, last, seen = 0, None, set[str]()
    for member in _members(path, Span(0, span.start)):
        key, name = split(member.name)
        if key != last or name in seen:
            count, last, seen = count + 1, key, set()
        seen.add(name)
    return count


def _in_texts(path: Path, places: Sequence[Place]) -> Iterator[bytes | None]:
    """Yield the bytes in base64 that the JSON of some records holds, in ascending order of the records."""
    at = 0
    for number, record in enumerate(records(path) if places else ()):
        while at < len(places) and places[at].number == number:
            keys = places[at].keys()
            yield decoded(value_at(record.get("json"), keys if keys[0] else keys[1:]))
            at += 1
        if at == len(places):
            break
    yield from [None] * (len(places) - at)


def split(name: str) -> tuple[str, str]:
    """Split the path of a file into the key of its record, up to the first dot of its name, and the rest.

    Examples
    --------
    >>> split("a.b/0001.img0.JPG"), split("./x/README")
    (('a.b/0001', 'img0.jpg'), ('x/README', ''))
    """
    path = PurePosixPath(name)
    stem, _, rest = path.name.partition(".")
    return (path.parent / stem).as_posix(), rest.lower()


def _members(path: Path, span: Span | None) -> Iterator[tarfile.TarInfo]:
    """Yield what is in a shard or in a range of it."""
    with _opened(path, span) as tar:
        yield from _walk(tar, span)


def _walk(tar: tarfile.TarFile, span: Span | None) -> Iterator[tarfile.TarInfo]:
    """Yield the files of an archive that are not hidden, and forget each afterwards."""
    last = -1
    while (member := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # not in its stub; which grow with the archive
        if member.offset <= last:
            raise tarfile.ReadError(f"a header at byte {member.offset:,} leads back")
        last = member.offset
        if span is not None and member.offset >= span.end:
            return
        if not member.isdir() and not _is_hidden(member.name):
            yield member
    _check_end(tar)


def _check_end(tar: tarfile.TarFile) -> None:
    """Raise unless an archive ends with zeros; `tarfile` takes any damage for its end."""
    file: Any = tar.fileobj
    if isinstance(file, _Forward):
        block = file.last
    else:
        file.seek(tar.offset)
        block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError(f"it is truncated at byte {tar.offset + len(block):,}, before the end mark")
    if any(block):
        raise tarfile.ReadError(f"damaged header at byte {tar.offset:,}")


def _is_hidden(name: str) -> bool:
    """Return whether a file is a mark of some system, or a side file of Energon."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> Any:
    """Return the content of a file: decoded JSON, a text, or a medium; None of a link and of a file with holes."""
    file = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if file is None:
        return None
    ending = name.rpartition(".")[2]
    if ending == "json" or ending in TEXTS:
        if member.size > LARGEST:
            return f"{member.size:,} bytes, more than the limit of {LARGEST:,} for a record"
        text = _whole(file, member).decode(errors="surrogateescape")
        return _decoded(text) if ending == "json" else text
    head = file.read(HEAD)
    if not member.size:
        return None
    hashed = hash_of(_chunks(file, head, member))
    of_bytes = ending_of(head)
    place = f"bytes:{member.offset_data}:{member.size}"
    return Medium(kind_of(of_bytes), member.name, None, hashed, of_bytes, place)


def _decoded(text: str) -> Any:
    """Return the value of a JSON text; the text itself if it is none, which no reader takes for a record."""
    try:
        return decode(text.removeprefix("\ufeff"))
    except (Undecodable, RecursionError):
        return text


def _whole(file: IO[bytes], member: tarfile.TarInfo) -> bytes:
    """Return all bytes of a file."""
    content = file.read()
    if len(content) != member.size:
        raise tarfile.ReadError(f"it ends inside of {member.name!r:.80}")
    return content


def _chunks(file: IO[bytes], head: bytes, member: tarfile.TarInfo) -> Iterator[bytes]:
    """Yield all bytes of a file in pieces."""
    size = 0
    chunk = head
    while chunk:
        yield chunk
        size += len(chunk)
        chunk = file.read(_CHUNK)
    if size != member.size:
        raise tarfile.ReadError(f"it ends inside of {member.name!r:.80}")


@contextmanager
def _opened(path: Path, span: Span | None) -> Iterator[tarfile.TarFile]:
    """Open a shard at the beginning of a range."""
    with _reading(path), _handle(path) as file:
        if span is not None:
            file.seek(span.start)
        with tarfile.open(fileobj=file, mode="r:", errorlevel=1, encoding="utf-8", errors="surrogateescape") as tar:
            yield tar


@contextmanager
def _handle(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked."""
    regular(path)
    with path.open("rb") as file:
        packing = packing_of(file.read(PACKED_HEAD))
        file.seek(0)
        if packing:
            yield cast("IO[bytes]", _Forward(io.BufferedReader(Unpacked(file, path, packing), _CHUNK)))
        else:
            yield file


def _is_packed(path: Path) -> bool:
    """Return whether a file is packed."""
    with path.open("rb") as file:
        return packing_of(file.read(PACKED_HEAD)) is not None


class _Forward:
    """A stream in which one can go forward, as `tarfile` does."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.at = 0
        self.last = b""  # what was read last

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        content = self.file.read(size)
        self.at += len(content)
        self.last = content
        return content

    def tell(self) -> int:
        """Return how far it is read."""
        return self.at

    def seek(self, to: int, _: int = 0) -> int:
        """Go forward to a byte."""
        if to < self.at:
            raise tarfile.ReadError("a packed archive that leads back")
        while self.at < to and self.read(min(_CHUNK, to - self.at)):
            pass
        return self.at


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever is raised about a damaged file into an error of one line."""
    try:
        yield
    except _BROKEN as error:
        why = (getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__)[:200]
        raise InputError(f"{path}: cannot be read as tar ({why}); fetch or write the file again") from None
