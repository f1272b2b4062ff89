"""Families of files: written whole beside their place, and only then moved there."""

from __future__ import annotations

import filecmp
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.errors import InputError
from recipe.io.atomic import sync_folder
from recipe.io.outputs import check_output, foreign, place
from recipe.io.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Make a hidden folder beside a target, in which a family of files can be written before any of them is moved.

    Parameters
    ----------
    target
        A file to be.

    Yields
    ------
    Path
        A folder that is removed at the end, and after a kill.

    Raises
    ------
    InputError
        If the folder of the target cannot be written.
    """
    try:
        folder = temporary_folder(target.parent, prefix=f".{target.name:.100}.")
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); check that its folder exists") from error
    try:
        yield Path(folder.name)
    except InputError as error:  # what could not be written is the file to be, not this one
        raise InputError(str(error).replace(folder.name, os.fspath(target.parent))) from error
    finally:
        folder.remove()


def settle(
    made: Sequence[Path],
    folder: Path,
    replaced: Collection[Path] = (),
    taken: Callable[[Path], InputError] = foreign,
) -> list[Path]:
    """Move a family of complete files to their folder, in order; files that stand there already with these bytes stay.

    All is checked before the first file is moved. A kill while they are moved leaves some in place and none half
    written. The first is to be the manifest: by it, the next run knows the others, with their hashes, as its own.

    Parameters
    ----------
    made
        Files in a `staged` folder, the first of which names the others.
    folder
        Where they go.
    replaced
        Files there that are removed, because they are the family's before.
    taken
        The error for any other file that stands in the place of one.

    Returns
    -------
    list of Path
        The files, in the same order.

    Raises
    ------
    InputError
        If another file stands in the place of one.
    """
    finals = [folder / one.name for one in made]
    for final in finals:
        check_output(final)
    same = {final for one, final in zip(made, finals, strict=True) if final.exists() and _equal(one, final)}
    for final in finals:
        if final not in same and final not in replaced and os.path.lexists(final):
            raise taken(final)
    for old in replaced:
        if old not in same and old != finals[0]:
            old.unlink(missing_ok=True)
    for one, final in zip(made, finals, strict=True):
        if final not in same:
            place(one, final, own=lambda file: file in replaced)
    sync_folder(folder)
    return finals


def _equal(one: Path, other: Path) -> bool:
    """Compare the bytes of two files."""
    return filecmp.cmp(one, other, shallow=False)
