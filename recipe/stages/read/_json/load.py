"""A file -> UTF-8 text in memory, unpacked with a size limit, from any supported packing and encoding."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from recipe.errors import InputError
from recipe.stages.read._containers.packed import HEAD, Damaged, packing_of, unpacked

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

_ENCODINGS = {  # longer marks first: UTF-32's little-endian mark starts with UTF-16's
    BOM_UTF32_LE: "utf-32",
    BOM_UTF32_BE: "utf-32",
    BOM_UTF16_LE: "utf-16",
    BOM_UTF16_BE: "utf-16",
    BOM_UTF8: "utf-8-sig",
}


class Loaded(NamedTuple):
    """The text of a file."""

    data: bytes
    """UTF-8 without a byte-order mark; if read leniently, it may contain invalid bytes."""
    encoding: str = "utf-8"
    """Encoding of the file, for byte offsets."""
    loss: str | None = None
    """What could not be unpacked or decoded, and so is missing from `data`."""


def load(path: Path, *, lenient: bool) -> Loaded:
    """Return the text of a file.

    Parameters
    ----------
    path
        Plain, gzip, bzip2, xz or zstd, recognised by the first bytes; UTF-8, or any UTF with a byte-order mark.
    lenient
        Whether to return the readable text of a damaged file, and to report what is lost.

    Returns
    -------
    Loaded
        The text.

    Raises
    ------
    InputError
        If the file cannot be read, or unpacks to more than 64 MB and 200 times its size, or to more than 64 GB; unless
        lenient, also if it is truncated or not text.
    MissingExtra
        If it is zstd and the library is not installed.
    """
    try:
        with path.open("rb") as file:
            packing = packing_of(file.read(HEAD))
            file.seek(0)
            data, broken = _unpack(file, path, packing) if packing else (file.read(), None)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that it is a readable file") from error
    if broken and not lenient:
        what = f"cannot be read ({broken}, after {len(data):,} bytes of text)"
        raise InputError(f"{path}: {what}; fetch the file again, or read its valid records with --lenient")
    loaded = _decoded(path, data, lenient=lenient)
    return loaded._replace(loss=broken) if broken else loaded


def members_of(path: Path) -> dict[str, msgspec.Raw]:
    """Return what a file that is one object has under each key, not yet decoded.

    Parameters
    ----------
    path
        As for `load`.

    Returns
    -------
    dict
        Key to the text of its value.

    Raises
    ------
    InputError
        If the file cannot be read, or holds anything else.
    """
    try:
        return msgspec.json.decode(load(path, lenient=False).data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        what = f"expected an object of pictures by their ids, got other JSON ({error})"
        raise InputError(f"{path}: {what}; restore the file, or move it away") from None


def _unpack(file: IO[bytes], path: Path, packing: str) -> tuple[bytes, str | None]:
    """Unpack a file, and return the data and the reason why it ends early, if it does."""
    data = bytearray()
    try:
        for portion in unpacked(file, path, packing):
            data += portion
    except Damaged as error:
        return bytes(data), str(error)
    return bytes(data), None


def encoding_of(head: bytes) -> str:
    r"""Return the encoding of a text that begins with these bytes, by its byte-order mark; UTF-8 without one.

    Examples
    --------
    >>> encoding_of(b"\xff\xfea\0"), encoding_of(b"[]")
    ('utf-16', 'utf-8')
    """
    return next((name for mark, name in _ENCODINGS.items() if head.startswith(mark)), "utf-8")


def _decoded(path: Path, data: bytes, *, lenient: bool) -> Loaded:
    """Turn any encoding into UTF-8."""
    encoding = encoding_of(data[:4])
    try:
        if encoding == "utf-8":
            data.decode()  # the JSON decoder does not check strings until they are decoded
            return Loaded(data)
        return Loaded(data.decode(encoding).encode(), encoding)
    except UnicodeError as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else len(data)
        if not lenient:
            what = f"expected {encoding if encoding != 'utf-8' else 'UTF-8'}, got other bytes at byte {at}"
            raise InputError(
                f"{path}: {what}; convert it to UTF-8, or read its valid records with --lenient"
            ) from error
        if encoding.startswith("utf-8"):
            return Loaded(data.removeprefix(BOM_UTF8), encoding)
        return Loaded(data[:at].decode(encoding).encode(), encoding, f"bytes that are not {encoding} at byte {at}")
