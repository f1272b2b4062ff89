"""A file -> UTF-8 text in memory, unpacked with a size limit, from any supported packing and encoding."""

from __future__ import annotations

import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

MB = 1_000_000
FREE = 64 * MB  # any packed file may unpack to as much
RATIO = 200  # above that, unpacked bytes per packed byte; JSON of real pools has 5 to 30
MOST = 64_000 * MB

_ENCODINGS = {  # longer marks first: UTF-32's little-endian mark starts with UTF-16's
    BOM_UTF32_LE: "utf-32",
    BOM_UTF32_BE: "utf-32",
    BOM_UTF16_LE: "utf-16",
    BOM_UTF16_BE: "utf-16",
    BOM_UTF8: "utf-8-sig",
}
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_STEP = 4096  # bytes unpacked at once: 4 MB from gzip, 130 MB from zstd at the very most


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
        Plain, gzip or zstd, recognised by the first bytes; UTF-8, or any UTF with a byte-order mark.
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
            packer = _packer(file.read(4), path)
            file.seek(0)
            data, broken = _unpack(file, path, packer) if packer else (file.read(), None)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that it is a readable file") from error
    if broken and not lenient:
        what = f"cannot be read ({broken}, after {len(data):,} bytes of text)"
        raise InputError(f"{path}: {what}; fetch the file again, or read its valid records with --lenient")
    loaded = _decoded(path, data, lenient=lenient)
    return loaded._replace(loss=broken) if broken else loaded


def _packer(head: bytes, path: Path) -> Callable[[], Any] | None:
    """Return a factory of unpackers for a file that begins with these bytes; None for a plain file."""
    if head.startswith(_GZIP):
        return lambda: zlib.decompressobj(31)
    if not head.startswith(_ZSTD):
        return None
    try:
        import zstandard  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtra.of("zstd", f"{path}: reading zstd needs zstandard") from error
    return lambda: zstandard.ZstdDecompressor().decompressobj()


def _unpack(file: IO[bytes], path: Path, packer: Callable[[], Any]) -> tuple[bytes, str | None]:
    """Unpack member after member, and return the data and the reason why it ends early, if it does."""
    size = file.seek(0, 2)
    file.seek(0)
    limit = min(MOST, max(FREE, RATIO * size))
    data, unpacker = bytearray(), packer()
    while chunk := file.read(_STEP):
        while chunk:
            if unpacker.eof:
                chunk = chunk.lstrip(b"\0")  # gzip may be padded with zeros
                if not chunk:
                    break
                unpacker = packer()
            try:
                data += unpacker.decompress(chunk)
            except Exception as error:  # noqa: BLE001  each library has its own exceptions, and none is a programming error here
                return bytes(data), f"damaged data after byte {file.tell() - len(chunk):,}: {error}"
            if len(data) > limit:
                what = f"expected at most {limit:,} bytes of text in {size:,} packed bytes, got more"
                raise InputError(f"{path}: {what}; unpack it by hand if it is no decompression bomb")
            chunk = unpacker.unused_data if unpacker.eof else b""
    return bytes(data), None if unpacker.eof else "it is truncated before the end of the packed data"


def _decoded(path: Path, data: bytes, *, lenient: bool) -> Loaded:
    """Turn any encoding into UTF-8."""
    encoding = next((name for mark, name in _ENCODINGS.items() if data.startswith(mark)), "utf-8")
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
