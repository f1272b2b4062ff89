"""The path and the size of the image of a SVIT record."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import imagesize

from recipe.errors import InputError
from recipe.stages.read._json import Undecodable, decode, read_entries

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

Size = tuple[int, int]  # width, height in pixels

_FOLDERS = ("VG_100K", "VG_100K_2")
_FOLDER = re.compile(r"/(VG_100K(?:_2)?)/")


@dataclass(frozen=True)
class Images:
    """Paths and sizes of Visual Genome's images.

    Parameters
    ----------
    image_data
        Visual Genome's `image_data.json`, or None.
    folder
        The image folder that the mix will be trained with, or None.
    """

    image_data: Path | None = None
    folder: Path | None = None

    def path(self, image_id: int) -> str:
        """Return the path of an image below the image folder.

        That is `vg/VG_100K/<id>.jpg` or `vg/VG_100K_2/<id>.jpg` by its url in `image_data.json`, else whichever of
        these two and `<id>.jpg` exists in the image folder, else `vg/<id>.jpg`, since the id alone does not determine
        the folder.

        Examples
        --------
        >>> Images().path(7)
        'vg/7.jpg'
        """
        known = self._paths.get(image_id)
        if known:
            return known
        if self.folder:
            for path in (*(f"vg/{name}/{image_id}.jpg" for name in _FOLDERS), f"{image_id}.jpg"):
                if (self.folder / path).is_file():
                    return path
        return f"vg/{image_id}.jpg"

    def size(self, image_id: int, path: str) -> Size | None:
        """Return width and height from `image_data.json`, else from the file's header; None if neither has them.

        The size is that of the stored pixels: LLaVA opens images without applying their EXIF rotation.
        """
        return self._sizes.get(image_id) or (header_size(self.folder / path) if self.folder else None)

    @cached_property
    def _paths(self) -> dict[int, str]:
        """Path of each image whose urls name exactly one folder."""
        found: dict[int, set[str]] = {}
        for image_id, item in self._items:
            url = item.get("url")
            if isinstance(url, str) and (folder := _FOLDER.search(url)):
                found.setdefault(image_id, set()).add(folder[1])
        return {i: f"vg/{min(names)}/{i}.jpg" for i, names in found.items() if len(names) == 1}

    @cached_property
    def _sizes(self) -> dict[int, Size]:
        """Size of each image whose size is valid and the same in all its items."""
        found: dict[int, set[Size]] = {}
        for image_id, item in self._items:
            width, height = item.get("width"), item.get("height")
            if type(width) is int and type(height) is int and width > 0 and height > 0:
                found.setdefault(image_id, set()).add((width, height))
        return {i: min(sizes) for i, sizes in found.items() if len(sizes) == 1}

    @cached_property
    def _items(self) -> list[tuple[int, dict[str, Any]]]:
        """Every item of `image_data.json` with a valid id."""
        if self.image_data is None:
            return []
        items = []
        for entry in read_entries(self.image_data):
            try:
                item = decode(entry)
            except Undecodable:
                continue
            if isinstance(item, dict) and (image_id := image_number(item.get("image_id"))) is not None:
                items.append((image_id, item))
        if not items:
            what = "expected Visual Genome's image_data.json, a list of {image_id, url, width, height}"
            raise InputError(f"{self.image_data}: {what}, got no such item; name the right file")
        return items


def image_number(image_id: object) -> int | None:
    """Read an image id that is a number, a string of digits or a file name; None if it is none of these.

    Examples
    --------
    >>> image_number(7), image_number("000007"), image_number("7.jpg"), image_number(7.0), image_number(-1)
    (7, 7, 7, 7, None)
    """
    if isinstance(image_id, str):
        digits = image_id.removesuffix(".jpg")
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 40 else None  # noqa: PLR2004  int() is quadratic
    if isinstance(image_id, float) and image_id.is_integer():
        image_id = int(image_id)
    return image_id if type(image_id) is int and image_id >= 0 else None


def header_size(path: Path | IO[bytes]) -> Size | None:
    """Read the size of an image from its first bytes, in a file or in memory."""
    try:
        width, height = imagesize.get(path, exif_rotation=False)
    except (OSError, ValueError, struct.error):
        return None
    return (width, height) if width > 0 and height > 0 else None
