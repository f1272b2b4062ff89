"""Packed files, member after member, with a limit on what they unpack to: gzip, bzip2, xz and zstd."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Any

from recipe.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import IO

MB = 1_000_000
FREE = 64 * MB  # any packed file may unpack to as much
RATIO = 200  # above that, unpacked bytes per packed byte; JSON of real pools has 5 to 30
MOST = 64_000 * MB
MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0"}
HEAD = 6  # bytes that tell
_STEP = 4096  # packed bytes read at once: 4 MB from gzip, 130 MB from zstd at the very most
_PORTION = 4 * MB  # bytes that the others unpack at once
_XZ_MEMORY = 256 * MB  # the strongest setting needs 65 MB


class Damaged(Exception):  # noqa: N818  caught inside this stage
    """Packed data that end early, or are no packed data any more."""


def packing_of(head: bytes) -> str | None:
    r"""Return how a file that begins with these bytes is packed; None for a plain one.

    Examples
    --------
    >>> packing_of(b"\x1f\x8b\x08\0"), packing_of(b"BZh9"), packing_of(b"[{")
    ('gzip', 'bzip2', None)
    """
    return next((name for name, magic in MAGIC.items() if head.startswith(magic)), None)


def unpacked(file: IO[bytes], path: Path, packing: str) -> Iterator[bytes]:
    """Yield the contents of a packed file in pieces.

    Parameters
    ----------
    file
        Open at its beginning.
    path
        Its name for errors.
    packing
        As `packing_of` says.

    Yields
    ------
    bytes
        Not empty.

    Raises
    ------
    Damaged
        If the data are damaged or truncated; what was readable was yielded.
    InputError
        If it unpacks to more than 64 MB and 200 times its size, or to more than 64 GB.
    MissingExtra
        If it is zstd and the library is not installed.
    """
    size = file.seek(0, 2)
    file.seek(0)
    limit, total = min(MOST, max(FREE, RATIO * size)), 0
    make = _maker(packing, path)
    unpacker = make()
    while chunk := file.read(_STEP):
        while chunk:
            if unpacker.eof:
                chunk = chunk.lstrip(b"\0")  # gzip and xz may be padded with zeros
                if not chunk:
                    break
                unpacker = make()
            for portion in _portions(unpacker, chunk, packing, file):
                total += len(portion)
                if total > limit:
                    what = f"expected at most {limit:,} bytes in {size:,} packed bytes, got more"
                    raise InputError(f"{path}: {what}; unpack it by hand if it is no decompression bomb")
                yield portion
            chunk = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise Damaged("it is truncated before the end of the packed data")


def _portions(unpacker: Any, chunk: bytes, packing: str, file: IO[bytes]) -> Iterator[bytes]:
    """Yield what some packed bytes unpack to."""
    bounded = packing in ("bzip2", "xz")  # a few bytes may unpack to gigabytes
    try:
        portion = unpacker.decompress(chunk, _PORTION) if bounded else unpacker.decompress(chunk)
        while portion:
            yield portion
            portion = b""
            if bounded and not unpacker.eof and not unpacker.needs_input:
                portion = unpacker.decompress(b"", _PORTION)
    except Exception as error:  # each library has its own exceptions, and none is a programming error here
        raise Damaged(f"damaged data after byte {file.tell() - len(chunk):,}: {error}") from error


def _maker(packing: str, path: Path) -> Callable[[], Any]:
    """Return what makes an unpacker."""
    if packing == "gzip":
        return lambda: zlib.decompressobj(31)
    if packing == "bzip2":
        return bz2.BZ2Decompressor
    if packing == "xz":
        return lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    try:
        import zstandard  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtra.of("zstd", f"{path}: reading zstd needs zstandard") from error
    return lambda: zstandard.ZstdDecompressor().decompressobj()


class Unpacked(io.RawIOBase):
    """A packed file as one that is read from beginning to end; raise EOFError where it is damaged."""

    def __init__(self, file: IO[bytes], path: Path, packing: str) -> None:
        self._pieces = unpacked(file, path, packing)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, at least in part, unless the file has ended."""
        try:
            while not self._rest:
                self._rest = memoryview(next(self._pieces))
        except StopIteration:
            return 0
        except Damaged as error:
            raise EOFError(str(error)) from error
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
