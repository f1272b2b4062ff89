"""Pictures, videos and sounds of a sample: what each is called, and where it lies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
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
COCO = r"(?:^|[/_])([0-9]{12})(?:\.[^./]*)?$"  # the number in a name of COCO's, of 2014 or 2017, or made of one
VIZWIZ = "vizwiz"  # whose numbers have twelve digits too
_COCO = re.compile(COCO)
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
    while (shorter := _REPEATED.sub("/", path)) != path:
        path = shorter
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
    import pyarrow as pa  # noqa: PLC0415  polars would look at each of them by itself, which takes 50 times as long

    flat = [one for some in media if some for one in some]
    fields = {field.name: field.dtype for field in MEDIUM.fields}
    columns = dict(zip(fields, zip(*flat, strict=True), strict=True))
    structs = pl.DataFrame(columns, schema=fields).to_struct().to_arrow()
    ends = np.cumsum([0, *(len(some or ()) for some in media)])
    missing = pa.array([some is None for some in media])
    lists = pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), structs, mask=missing)
    return pl.Series("media", lists).cast(pl.List(MEDIUM))


def plain(media: Sequence[Medium]) -> bool:
    """Return whether the column `image` says all that is known of the media of a sample."""
    return not media or (len(media) == 1 and media[0] == Medium(path=media[0].name))


def coco_number(name: str) -> int | None:
    """Return the number in a name of COCO's, of 2014 or 2017, or made of one; None for any other name.

    Examples
    --------
    >>> [coco_number(name) for name in ("COCO_val2014_000000000139.jpg", "000000000139", "VizWiz_val_000000000139.jpg")]
    [139, 139, None]
    """
    found = None if VIZWIZ in name.lower() else _COCO.search(name)
    return int(found[1]) if found else None


def identity(image: pl.Expr) -> pl.Expr:
    r"""Return what tells pictures apart: their path, spelled one way; the same for all names of a picture of COCO.

    COCO numbers its pictures through: `COCO_train2014_000000000139.jpg` is `train2017/000000000139.jpg`, and files of
    other data sets are called so with a word before it, as Vision-Flan's. VizWiz's numbers have twelve digits too.

    Parameters
    ----------
    image
        Names of pictures, as in the column `image`.

    Returns
    -------
    polars.Expr
        Null where the name is.

    Examples
    --------
    >>> names = ["./vg//1.jpg", "vg\\1.jpg", "COCO_val2014_000000000139.jpg", "coco/train2017/000000000139.jpg"]
    >>> pl.Series(names).to_frame("image").select(identity(pl.col("image"))).to_series().to_list()
    ['vg/1.jpg', 'vg/1.jpg', 'coco/000000000139.jpg', 'coco/000000000139.jpg']
    """
    plain = image.str.replace_all("\\", "/", literal=True).str.replace_all(r"/(?:\.?/)+", "/")
    plain = pl.when(image.str.contains(f"^{_URL.pattern}")).then(image).otherwise(plain.str.replace(r"^(?:\./)+", ""))
    number = pl.when(~plain.str.to_lowercase().str.contains(VIZWIZ, literal=True)).then(plain.str.extract(COCO))
    return pl.coalesce(pl.format("coco/{}.jpg", number), plain)


def shown() -> pl.Expr:
    r"""Return what tells apart all that samples show: of a picture its `identity`, of several those of all, in order.

    Returns
    -------
    polars.Expr
        Over the columns `image` and `media` of a pool; null for text only.

    Examples
    --------
    >>> media = media_column([None, [Medium(path="b.jpg", root="a"), Medium(hash="0f", ending="png")], None])
    >>> pl.DataFrame({"image": ["./a/b.jpg", "a/b.jpg", None], "media": media}).select(shown()).to_series().to_list()
    ['a/b.jpg', 'a/b.jpg\n0f.png', None]
    """
    one = pl.element().struct
    path, root = one.field("path"), one.field("root")
    alone = root.is_null() | path.str.starts_with("/") | path.str.contains(f"^{_URL.pattern}")
    lying = pl.when(alone).then(path).otherwise(pl.format("{}/{}", root, path))
    inside = pl.format("{}.{}", one.field("hash"), one.field("ending").fill_null("bin"))
    every = pl.col("media").list.eval(identity(pl.coalesce(inside, lying))).list.join("\n")
    many = pl.when(pl.col("media").list.len() > 0).then(every)
    return pl.when(pl.col("media").is_null()).then(identity(pl.col("image"))).otherwise(many).alias("shown")
