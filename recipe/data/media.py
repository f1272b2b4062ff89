"""Pictures, videos and sounds of a sample: what each is called, and where it lies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Kind = Literal["image", "video", "audio"]

MEDIUM = pl.Struct(
    {
        "kind": pl.String,  # image, video or audio
        "path": pl.String,  # as its record names it, with slashes; null if only its bytes are given
        "root": pl.String,  # the folder that a list of files names for it, or null
        "hash": pl.String,  # blake2b-128 of its bytes, if they lie in the source; else null
        "ending": pl.String,  # by its bytes: jpg, png, gif, webp, bmp, tif, bin; null without bytes
        "place": pl.String,  # where in the source its bytes lie; null without bytes
        "width": pl.UInt32,  # pixels, where the record says so
        "height": pl.UInt32,
    }
)
RATINGS = ("relevance", "image_correspondence", "visual_dependency", "formatting")
RATING = pl.Struct(dict.fromkeys(RATINGS, pl.Int64))  # FineVision's four axes, 1..5; null where not rated
Frame = Literal["unit", "square", "thousand", "pixels"]
FRAMES = get_args(Frame)  # what the coordinates of boxes refer to
MARKS = {"image": "<image>", "video": "<video>", "audio": "<audio>"}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_REPEATED = re.compile(r"(?<!:)/{2,}|/(?:\./)+")


class Medium(NamedTuple):
    """One picture, video or sound; the fields are those of `MEDIUM`."""

    kind: Kind = "image"
    path: str | None = None
    root: str | None = None
    hash: str | None = None
    ending: str | None = None
    place: str | None = None
    width: int | None = None
    height: int | None = None

    @property
    def name(self) -> str:
        """What it is called in a mix: the hash of its bytes with their ending, else its path below its root.

        Examples
        --------
        >>> Medium(path="0.jpg", root="data/a/").name, Medium(path="0.jpg", hash="f" * 32, ending="png").name
        ('data/a/0.jpg', 'ffffffffffffffffffffffffffffffff.png')
        """
        if self.hash is not None:
            return f"{self.hash}.{self.ending or 'bin'}"
        return below(self.root, self.path or "")


def below(root: str | None, path: str) -> str:
    """Return a path below a folder, spelled one way; a URL or an absolute path is below none.

    Examples
    --------
    >>> below("a//b/", "./c.jpg"), below("a", "/c.jpg"), below(None, "https://b.org//c.jpg")
    ('a/b/c.jpg', '/c.jpg', 'https://b.org//c.jpg')
    """
    path = spelled(path)
    if not root or path.startswith("/") or _URL.match(path):
        return path
    return spelled(f"{root}/{path}")


def spelled(path: str) -> str:
    r"""Spell a path one way: slashes, none of them twice, and no `./`.

    Examples
    --------
    >>> spelled("./coco//train2017\\1.jpg"), spelled("a/./b/../c.jpg")
    ('coco/train2017/1.jpg', 'a/b/../c.jpg')
    """
    if "//" not in path and "./" not in path and "\\" not in path:
        return path
    if _URL.match(path):
        return path
    path = path.replace("\\", "/")
    while "//" in path or "/./" in path:
        path = _REPEATED.sub("/", path)
    while path.startswith("./"):
        path = path[2:]
    return path


def media_of(image: str | None, media: Iterable[Mapping[str, Any]] | None) -> list[Medium]:
    """Return the pictures, videos and sounds of a row of a pool.

    Parameters
    ----------
    image
        Its column `image`.
    media
        Its column `media`: null where the column `image` says it all.

    Returns
    -------
    list of Medium
        In the order of their marks.

    Examples
    --------
    >>> media_of("a.jpg", None), media_of(None, None)
    ([Medium(kind='image', path='a.jpg', root=None, hash=None, ending=None, place=None, width=None, height=None)], [])
    """
    if media is not None:
        return [Medium(**one) for one in media]
    return [] if image is None else [Medium(path=image)]


def media_column(media: Sequence[Sequence[Medium] | None]) -> pl.Series:
    """Return the media of some samples as the column of a pool; O(n), and at once where none has any.

    Examples
    --------
    >>> media_column([None, [Medium(path="a.mp4", kind="video")]]).dtype.inner.fields[0].name
    'kind'
    """
    if not any(media):
        return pl.Series("media", [None] * len(media), dtype=pl.List(MEDIUM))
    given = [None if some is None else [one._asdict() for one in some] for some in media]
    return pl.Series("media", given, dtype=pl.List(MEDIUM))


def plain(media: Sequence[Medium]) -> bool:
    """Return whether the column `image` says all that is known of the media of a sample."""
    return not media or (len(media) == 1 and media[0] == Medium(path=media[0].name))
