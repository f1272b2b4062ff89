"""Find the images of a benchmark by id, by path, or by the hash of their bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from recipe.data.media import coco_number, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".jp2", ".avif", ".heic"),
    *(".mp4", ".webm", ".avi", ".mkv", ".mov", ".wav", ".mp3", ".flac", ".ogg", ".m4a"),
)
_QUERY = re.compile(r"[?#].*")
NUMBER = re.compile(r"\d+", re.ASCII)


def is_path(name: str) -> bool:
    """Return whether a name is a path rather than an id: it has a folder, or the ending of a picture, video or sound.

    Examples
    --------
    >>> is_path("1.jpg"), is_path("vg/1"), is_path("498335")
    (True, True, False)
    """
    return "/" in name or "\\" in name or name.lower().endswith(ENDINGS)


def marks_of_name(name: str) -> list[str]:
    """Return the marks of an id or a path: it matches every image that has one of them.

    A path matches images whose path ends with it, at the border of a folder. An id matches images whose file's stem is
    the id; a plain number matches only stems that are that number, with or without leading zeros. It matches them in
    every data set, so give paths if two of them number their images. A name of COCO's also matches the image of that
    number under its other names (COCO_val2014_000000000139.jpg, 000000000139.jpg, and Vision-Flan's, which end so).

    Examples
    --------
    >>> marks_of_name("139"), marks_of_name("a/b.jpg")
    (['=139', '#139'], ['/a/b.jpg'])
    """
    path = _plain(name)
    if not is_path(path):
        number = [f"#{int(path)}"] if NUMBER.fullmatch(path) else []
        return [f"={path}", *number, *_coco(path)]
    return [f"/{path}", *_coco(path)]


def marks_of_image(image: str) -> list[str]:
    """Return all marks of an image, by any of which it can be found.

    Examples
    --------
    >>> marks_of_image("vg/139.jpg")
    ['/139.jpg', '/vg/139.jpg', '=139', '#139']
    """
    path = _plain(image)
    parts, stem = path.split("/"), _stem(path)
    number = [f"#{int(stem)}"] if NUMBER.fullmatch(stem) else []
    ends = ["/" + "/".join(parts[at:]) for at in reversed(range(len(parts)))]
    return [*ends, f"={stem}", *number, *_coco(path)]


def index_names(names: Iterable[tuple[str, str]]) -> dict[str, tuple[int, str]]:
    """Return mark -> number and place of the first name that has it.

    Parameters
    ----------
    names
        Ids and paths, each with its place.
    """
    known: dict[str, tuple[int, str]] = {}
    for number, (name, place) in enumerate(names):
        for mark in marks_of_name(name):
            known.setdefault(mark, (number, place))
    return known


def find_images(rows: pl.DataFrame, known: Mapping[str, tuple[int, str]]) -> pl.Series:
    """Return for each row the place of the first name that matches one of its images, videos or sounds.

    Parameters
    ----------
    rows
        n rows with the columns `image` and `media`.
    known
        As of `index_names`.

    Returns
    -------
    polars.Series
        (n,) str, null where none matches. O(n).
    """
    names = names_of(rows)
    hits = [
        (name, *min(found))
        for name in names["name"].unique()
        if (found := [known[mark] for mark in marks_of_image(name) if mark in known])
    ]
    table = pl.DataFrame(hits, {"name": pl.String, "hit": pl.Int64, "place": pl.String}, orient="row")
    first = names.join(table, on="name").sort("at", "hit").unique("at", keep="first", maintain_order=True)
    every = rows.select(at=pl.int_range(pl.len(), dtype=pl.UInt32))
    return every.join(first, on="at", how="left", maintain_order="left")["place"]


def names_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return every name by which what the rows show may be called.

    Parameters
    ----------
    rows
        n rows with the columns `image` and `media`.

    Returns
    -------
    polars.DataFrame
        Lines of `at` (u32, the row) and `name`: in the mix, by the hash of its bytes, and by its path with and without
        the folder that a list names.
    """
    numbered = rows.select("image", "media", at=pl.int_range(pl.len(), dtype=pl.UInt32))
    parts = numbered.drop_nulls("media").select("at", "media").explode("media").drop_nulls("media").unnest("media")
    below = pl.concat_str("root", "path", separator="/")
    inside = pl.concat_str("hash", pl.col("ending").fill_null("bin"), separator=".")
    found = [numbered.select("at", name="image"), *(parts.select("at", name=one) for one in ("path", below, inside))]
    return pl.concat(found).drop_nulls().unique(maintain_order=True)


def _plain(name: str) -> str:
    """Spell a path one way, without a leading slash, and a URL without its query."""
    path = name.strip()
    if "://" in path:
        return _QUERY.sub("", path)
    return spelled(path).lstrip("/")


def _stem(path: str) -> str:
    """Return the name of a file without its extension."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _coco(path: str) -> list[str]:
    """Return the mark of an image that has one of COCO's names."""
    number = coco_number(path)
    return [] if number is None else [f"@{number}"]
