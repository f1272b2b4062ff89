"""Find the images of a benchmark by id or by path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff")
# COCO's names of 2014 and of 2017, and Vision-Flan's prefixes of them; VizWiz's numbers have twelve digits too.
COCO = re.compile(r"(?:(?!.*VizWiz_).*_)?(\d{12})", re.ASCII)
NUMBER = re.compile(r"\d+", re.ASCII)


def is_path(name: str) -> bool:
    """Return whether a name is a path rather than an id: it has a folder, or the ending of an image.

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
    return [f"/{path}", *_coco(_stem(path))]


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
    return [*ends, f"={stem}", *number, *_coco(stem)]


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


def find_images(images: Iterable[str | None], known: dict[str, tuple[int, str]]) -> Iterator[str | None]:
    """Yield for each image the place of the first name that matches it; None if none does or it is None; O(n)."""
    places: dict[str, str | None] = {}
    for image in images:
        if image is None:
            yield None
            continue
        if image not in places:
            hits = [known[mark] for mark in marks_of_image(image) if mark in known]
            places[image] = min(hits)[1] if hits else None
        yield places[image]


def _plain(name: str) -> str:
    """Write a path with slashes, without a leading slash or `./`."""
    path = name.strip().replace("\\", "/")
    while path.startswith(("./", "/")):
        path = path.removeprefix("./").lstrip("/")
    return path


def _stem(path: str) -> str:
    """Return the name of a file without its extension."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _coco(stem: str) -> list[str]:
    """Return the mark of an image that has one of COCO's names."""
    found = COCO.fullmatch(stem)
    return [f"@{int(found[1])}"] if found else []
