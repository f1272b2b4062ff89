"""What some bytes are, by the first of them: pictures, videos and sounds, with the ending of each."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from recipe.data.media import Medium

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recipe.data.media import Kind

HEAD = 32  # bytes that tell
UNKNOWN = "bin"  # the ending of bytes of another kind
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"\x1aE\xdf\xa3", "webm"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
)
_RIFF = {b"WEBP": "webp", b"AVI ": "avi", b"WAVE": "wav"}
_STILL = {b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"mif1": "heic"}  # brands of ISO media
_BITMAP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes of the header of a bitmap
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("mp4", "webm", "avi"), "video"),
    **dict.fromkeys(("wav", "mp3", "flac", "ogg"), "audio"),
}


def ending_of(head: bytes) -> str:
    r"""Return the ending of a file by its first bytes.

    Parameters
    ----------
    head
        The first 32 bytes, or all.

    Returns
    -------
    str
        Without a dot; ``"bin"`` for bytes that are of no known kind.

    Examples
    --------
    >>> ending_of(b"\x89PNG\r\n\x1a\n"), ending_of(b"RIFF\0\0\0\0WEBPVP8 "), ending_of(b"BM, he said")
    ('png', 'webp', 'bin')
    """
    for start, ending in _STARTS:
        if head.startswith(start):
            return ending
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        return _STILL.get(head[8:12], "mp4")
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS:
        return "bmp"
    return UNKNOWN


def kind_of(ending: str) -> Kind:
    """Return whether an ending of `ending_of` is that of an image, a video or a sound; an image if it is not known.

    Examples
    --------
    >>> kind_of("png"), kind_of("mp4"), kind_of("bin")
    ('image', 'video', 'image')
    """
    return _KINDS.get(ending, "image")


def hash_of(chunks: Iterable[bytes | memoryview]) -> str:
    """Hash the bytes of a picture, given in pieces, to the 32 hexadecimal digits by which it is named.

    Examples
    --------
    >>> hash_of([b"ab", b"c"]) == hash_of([b"abc"])
    True
    """
    hashed = blake2b(digest_size=16)
    for chunk in chunks:
        hashed.update(chunk)
    return hashed.hexdigest()


def medium_of(content: bytes | memoryview, *, path: str | None = None, place: str | None = None) -> Medium:
    r"""Return what is known of a picture, a video or a sound whose bytes lie in a source.

    Parameters
    ----------
    content
        Its bytes, or a view of them.
    path
        What its record calls it.
    place
        Where in the source its bytes lie.

    Returns
    -------
    Medium
        Named by its hash.

    Examples
    --------
    >>> medium_of(b"\xff\xd8\xff...", place="record:0:/image").name
    '0909340e6ee7adfd526552d0ab615cfa.jpg'
    """
    ending = ending_of(bytes(content[:HEAD]))
    return Medium(kind_of(ending), path, None, hash_of([content]), ending, place)
