"""The image of a sample as the trainer opens it, and as a small picture in a page; Pillow is an optional extra."""

from __future__ import annotations

import warnings
from base64 import b64encode
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from recipe.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from PIL import Image

SIDE = 800  # pixels of the longer side of a picture in a page, at most
_ORIENTATION = 0x0112  # EXIF: how a viewer should turn the image


def open_image(folder: str | Path, name: str) -> tuple[Image.Image | None, str]:
    """Open an image as LLaVA-v1.5 does: as RGB, and not turned as its EXIF data ask.

    Parameters
    ----------
    folder
        The image folder.
    name
        Path of the image below it.

    Returns
    -------
    tuple
        The image and a note on it; or None and a note that says what is wrong with the file.

    Raises
    ------
    InputError
        If the folder is none.
    MissingExtra
        If Pillow is not installed.
    """
    if not Path(folder).is_dir():
        raise InputError(f"images: expected the folder of the images, got images={str(folder)!r}; check it")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        return None, f"{name} leads out of the image folder, so it is not opened"
    file = Path(folder, *path.parts)
    try:
        if not file.is_file():
            return None, f"{name} is not in {folder}"
        return _decoded(file)
    except (OSError, ValueError) as error:  # a name that no file can have
        return None, f"{name} cannot be opened: {_line(error)}"


def _decoded(file: Path) -> tuple[Image.Image | None, str]:
    """Decode a file and say what is odd or wrong."""
    try:
        from PIL import Image  # noqa: PLC0415  an optional extra
    except ImportError:
        raise MissingExtra.of("images", "showing images needs Pillow") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of half its bound of pixels, and of odd metadata
        try:
            with Image.open(file) as opened:
                turned = opened.getexif().get(_ORIENTATION, 1) not in (0, 1)
                image = opened.convert("RGB")
        except Exception as error:  # noqa: BLE001  a file may be damaged in any way, and the text is still to be read
            return None, f"{file.name} cannot be decoded: {_line(error)}"
    image.info.clear()  # so that no viewer turns the copy
    return (
        image,
        "shown as the trainer sees it: its EXIF data ask for a turn that LLaVA does not make" if turned else "",
    )


def data_uri(image: Image.Image, side: int = SIDE) -> str:
    """Write an image as a JPEG inside a URI, made smaller where its longer side exceeds a number of pixels."""
    small = image.copy()
    small.thumbnail((side, side))
    file = BytesIO()
    small.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode('ascii')}"


def _line(error: Exception) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
