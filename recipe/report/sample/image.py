"""The image of a sample as the trainer opens it, and as a small image for a page; Pillow is an optional extra."""

from __future__ import annotations

import warnings
from base64 import b64encode
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from recipe.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from PIL import Image

SIDE = 800  # maximum pixels of the longer side of an image in a page
_ORIENTATION = 0x0112  # EXIF: how a viewer should rotate the image


def open_image(folder: str | Path, name: str) -> tuple[Image.Image | None, str]:
    """Open an image as LLaVA-v1.5 does: as RGB, and without the rotation in its EXIF data.

    Parameters
    ----------
    folder
        The image folder.
    name
        Path of the image below it.

    Returns
    -------
    tuple
        The image and a note; or None and a note that says what is wrong with the file.

    Raises
    ------
    InputError
        If the folder does not exist.
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
    except (OSError, ValueError) as error:  # also a name that no file can have
        return None, f"{name} cannot be opened: {_line(error)}"


def _decoded(file: Path) -> tuple[Image.Image | None, str]:
    """Decode a file; return the image and a note on what is unusual or wrong."""
    try:
        from PIL import Image  # noqa: PLC0415  an optional extra
    except ImportError:
        raise MissingExtra.of("images", "showing images needs Pillow") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns at half its limit of pixels, and of unusual metadata
        try:
            with Image.open(file) as opened:
                rotated = opened.getexif().get(_ORIENTATION, 1) not in (0, 1)
                image = opened.convert("RGB")
        except Exception as error:  # noqa: BLE001  a file may be damaged in any way
            return None, f"{file.name} cannot be decoded: {_line(error)}"
    image.info.clear()  # so that no viewer rotates the copy
    return (
        image,
        "shown as the trainer sees it: LLaVA ignores the rotation in its EXIF data" if rotated else "",
    )


def data_uri(image: Image.Image, side: int = SIDE) -> str:
    """Return an image as a data URI of a JPEG, scaled down if its longer side exceeds a number of pixels."""
    small = image.copy()
    small.thumbnail((side, side))
    file = BytesIO()
    small.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode('ascii')}"


def _line(error: Exception) -> str:
    """Return the message of an error as one line."""
    return " ".join(str(error).split()) or type(error).__name__
