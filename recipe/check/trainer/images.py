"""Checks that the trainer can open the image files: whether they exist, and whether they can be decoded."""

from __future__ import annotations

import io
import os
import re
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from recipe.engine import watched
from recipe.engine.workers import usable_cores
from recipe.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

_ELSEWHERE = re.compile(r"data:|[A-Za-z][A-Za-z0-9+.-]*:[/\\]")  # a URL's scheme or a drive letter
_FIRST = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")  # bytes of pictures
_FEW = 64  # images that are decoded before processes would have started
_CHUNK = 32  # images that a process is given at a time


def outside(image: str) -> bool:
    r"""Return whether a path leads out of the image folder: absolute, a URL, a drive, or with `..`.

    Examples
    --------
    >>> [outside(path) for path in ("coco/1.jpg", "/1.jpg", "a/../../1.jpg", "C:\\1.jpg", "https://a.org/1.jpg")]
    [False, True, True, True, True]
    """
    path = PurePosixPath(image.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or elsewhere(image)


def elsewhere(image: str) -> bool:
    """Return whether a path is a URL, a data URI, or begins with a drive."""
    return _ELSEWHERE.match(image) is not None


def image_faults(records: Iterable[Any], images: str | PathLike[str] | None, *, decode: bool) -> dict[str, str]:
    """Find the images of records that the trainer could not open.

    Parameters
    ----------
    records
        Decoded entries of a mix, valid or not. A path that leads out of the folder is not opened.
    images
        The image folder; None to find nothing.
    decode
        Open and decode each file, in processes, with a progress bar on a terminal.

    Returns
    -------
    dict
        Image path -> why it cannot be used.

    Raises
    ------
    MissingExtra
        If Pillow is not installed and images are to be decoded.
    InputError
        If a process that decodes images dies.
    """
    if images is None:
        return {}
    named = (record.get("image") for record in records if isinstance(record, dict))
    inside = sorted({name for name in named if isinstance(name, str) and name and not outside(name)})
    exists = {name: os.path.isfile(Path(images, name)) for name in inside}  # noqa: PTH113  is_file() raises at long names
    faults = {name: "missing" for name, found in exists.items() if not found}
    return faults | _undecodable([name for name in inside if exists[name]], Path(images)) if decode else faults


def _undecodable(names: list[str], folder: Path) -> dict[str, str]:
    """Decode every image and return the errors."""
    try:
        import PIL  # noqa: F401, PLC0415  imported here, so that a missing one is reported once
    except ImportError as error:
        raise MissingExtra.of("images", "decoding images needs Pillow") from error
    faults = partial(_fault, folder)
    if len(names) <= _FEW:
        return {name: fault for name in names if (fault := faults(name))}
    try:
        # spawned: a fork of a process with threads may hang
        with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as pool:
            found = pool.map(faults, names, chunksize=_CHUNK)
            bar = watched(found, len(names), "decode")
            return {name: fault for name, fault in zip(names, bar, strict=True) if fault}
    except BrokenProcessPool as error:
        raise InputError(f"a process that decodes images in {folder} died; free some memory, or check less") from error


def _fault(folder: Path, name: str) -> str | None:
    """Decode one image as LLaVA does and return the error."""
    return _opened(folder / name)


def _opened(file: Path | io.BytesIO) -> str | None:
    """Decode an image and return the error; Pillow's limit of 179 million pixels applies."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  an optional extra

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns at half the limit, and of unusual metadata
        try:
            with Image.open(file) as image:
                image.convert("RGB")
                return "1x1 pixels" if image.size == (1, 1) else None
        except UnidentifiedImageError:
            return "not an image"
        except Image.DecompressionBombError:
            return "too many pixels"
        except Exception as error:  # noqa: BLE001  whatever Pillow raises would end the run
            return " ".join(str(error).split()) or type(error).__name__


def bytes_fault(content: bytes, *, decode: bool) -> str | None:
    r"""Return why the bytes of a picture cannot be used; None if they begin as one, or with `decode` are one.

    Examples
    --------
    >>> bytes_fault(b"\xff\xd8\xff\xe0", decode=False), bytes_fault(b"<html>", decode=False)
    (None, 'not an image')
    """
    if not content:
        return "empty"
    if not content.startswith(_FIRST) and content[8:12] != b"WEBP":
        return "not an image"
    return _opened(io.BytesIO(content)) if decode else None
