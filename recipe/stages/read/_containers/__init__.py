"""Containers of records. Each file here: a path -> the records in it, and the bytes of the pictures at some places."""

from __future__ import annotations

import zipfile
from importlib import import_module
from typing import TYPE_CHECKING, Any

from recipe.data.signatures import UNKNOWN, ending_of, kind_of
from recipe.errors import InputError
from recipe.io.regular import regular
from recipe.stages.read._containers.packed import Damaged, packing_of, unpacked

if TYPE_CHECKING:
    from pathlib import Path

JSON = "json"
CONTAINERS = ("parquet", "arrow", "tar", "table")  # besides JSON
ENDINGS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".tar": "tar",
    ".tgz": "tar",
    ".csv": "table",
    ".tsv": "table",
}
_HEAD = 1024  # bytes that tell
_USTAR = slice(257, 262)
_STREAM = b"\xff\xff\xff\xff"  # of Arrow: then comes the length of the schema
_REFUSED: tuple[tuple[bytes, str, str], ...] = (  # the first bytes, what it is, and what to do
    (b"version https://git-lfs", "a Git LFS pointer in place of the file", "run git lfs pull"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it"),
    (b"%PDF-", "a PDF document", "name the file of its samples"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "write its samples as JSON or Parquet"),
    (b"SQLite format 3\0", "an SQLite database", "write its samples as JSON or Parquet"),
    (b"\x93NUMPY", "a NumPy array", "name the file of the samples"),
    (b"FEA1", "a Feather file of version 1", "write it as Feather 2 or Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"Obj\x01", "an Avro file", "write it as Parquet"),
)
_KINDS = {"image": "a picture", "video": "a video", "audio": "a sound"}
_MARKUP = ((b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"), (b"<?xml", "an XML document"))


def container_of(path: Path) -> str:
    """Return in what container the records of a file lie, by its first bytes, and then by its ending.

    Parameters
    ----------
    path
        A file that exists.

    Returns
    -------
    str
        ``"json"``, also for what is of no known kind, or a file of this folder.

    Raises
    ------
    InputError
        If it cannot be read, or is known to be something else than records: an archive, a web page, a picture, weights.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "pool.json")
    ...     _ = file.write_text("[]")
    ...     container_of(file)
    'json'
    """
    try:
        size = regular(path).st_size
        with path.open("rb") as file:
            head = file.read(_HEAD)
            packing = packing_of(head)
            inner = b"" if packing is None else _first(file, path, packing)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that it is a readable file") from error
    if packing is not None:
        return _packed(path, inner, packing)
    if head.startswith((b"PAR1", b"PARE")):
        return "parquet"
    if head.startswith((b"ARROW1", _STREAM)):
        return "arrow"
    if head[_USTAR] == b"ustar":
        return "tar"
    if what := _other(path, head, size):
        raise InputError(f"{path}: expected samples, got {what}")
    named = ENDINGS.get(path.suffix.lower(), JSON)
    return JSON if named in ("parquet", "tar", "table") and head.lstrip()[:1] in (b"[", b"{") else named


def module_of(container: str) -> Any:
    """Return the file of this folder for a container, which has `spans`, `records` and `picture_bytes`."""
    return import_module(f"{__name__}.{container}")


def _packed(path: Path, inner: bytes, packing: str) -> str:
    """Return the container in a packed file."""
    if inner[_USTAR] == b"ustar":
        return "tar"
    if inner.startswith((b"PAR1", b"PARE", b"ARROW1", _STREAM)):
        raise InputError(f"{path}: expected samples, got a table packed with {packing}; unpack it")
    if what := _other(path, inner, len(inner)):
        raise InputError(f"{path}: expected samples packed with {packing}, got {what}")
    named = ENDINGS.get(path.with_suffix("").suffix.lower(), JSON)
    return "tar" if path.suffix.lower() == ".tgz" else named if named in ("table", "tar") else JSON


def _first(file: Any, path: Path, packing: str) -> bytes:
    """Return the first bytes of what a packed file contains; fewer if it is damaged, of which its reader tells."""
    found = b""
    try:
        for portion in unpacked(file, path, packing):
            found += portion
            if len(found) >= _HEAD:
                break
    except Damaged:
        pass
    return found[:_HEAD]


def _other(path: Path, head: bytes, size: int) -> str | None:
    """Return what a file is that has no records, and what to do about it."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    known = [f"{what}; {remedy}" for start, what, remedy in _REFUSED if head.startswith(start)]
    known += [
        f"{what}; fetch the file again, logged in if it needs that" for start, what in _MARKUP if text.startswith(start)
    ]
    if known:
        return known[0]
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if (ending := ending_of(head)) != UNKNOWN:
        return f"{_KINDS[kind_of(ending)]} ({ending}); name the file of the samples"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a pickle, which could run any code; write its samples as JSON"
    if 0 < int.from_bytes(head[:8], "little") < size and head[8:10] == b'{"' and b"\0" in head[:8]:
        return "weights (safetensors); name the file of the samples"
    return None


def _zipped(path: Path) -> str:
    """Return what a zip archive is: archives of PyTorch and NumPy and office documents are zipped too."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, MemoryError):
        names = []
    if any(name.endswith("data.pkl") for name in names):
        return "a file of PyTorch; name the file of the samples"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy arrays; name the file of the samples"
    if "[Content_Types].xml" in names:
        return "an office document; write its samples as CSV or JSON"
    return "a zip archive; unpack it"
