"""A written mix against what trainers demand. Each file: path -> list of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.check.llava import check

if TYPE_CHECKING:
    from os import PathLike

    from recipe.check.llava import Finding


def check_mix(path: str | PathLike[str], *, images: str | PathLike[str] | None = None) -> list[Finding]:
    """Find everything in a mix file that stops LLaVA v1.5 or makes it train silently wrong.

    Parameters
    ----------
    path
        The file that would be given as ``--data_path``.
    images
        The folder that would be given as ``--image_folder``, to see that every image is there; None to leave that out.

    Returns
    -------
    list of Finding
        In file order, each with code, record, turn and message; empty if nothing is wrong.

    Raises
    ------
    InputError
        If the file or the folder cannot be read at all.
    """
    return check(path, images=images)
