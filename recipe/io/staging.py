"""Families of files: written whole beside their place, and only then moved there."""

from __future__ import annotations

import filecmp
import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.errors import InputError, RecipeError
from recipe.io.atomic import atomic_write, sync_folder
from recipe.io.families import unfinished
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
    except RecipeError as error:  # what could not be written is the file to be, not this one
        error.args = (str(error).replace(folder.name, os.fspath(target.parent)),)
        raise
    finally:
        folder.remove()


def settle(made: Sequence[Path], folder: Path) -> list[Path]:
    """Move complete files to their folder; those that stand there already with these bytes stay.

    Parameters
    ----------
    made
        Files in a `staged` folder.
    folder
        Where they go.

    Returns
    -------
    list of Path
        The files, in the same order.

    Raises
    ------
    InputError
        If another file stands in the place of one; then none is moved.
    """
    finals = _free(made, folder)
    for one, final in zip(made, finals, strict=True):
        place(one, final)
    sync_folder(folder)
    return finals


def settle_family(
    made: Sequence[Path], folder: Path, replaced: Collection[Path], taken: Callable[[Path], InputError]
) -> list[Path]:
    """Move a mix and the files beside it to their folder, in the place of an earlier family.

    While they are moved an unfinished manifest stands there, which names the old and the new ones. So each file is
    whole at any moment, and after a kill the next run knows which are its own. The manifest itself comes last.

    Parameters
    ----------
    made
        Files in a `staged` folder, the manifest first.
    folder
        Where they go.
    replaced
        The files of the earlier family; those that have no successor are removed.
    taken
        The error for any other file that stands in the place of one.

    Returns
    -------
    list of Path
        The files, in the same order. If all stand there with these bytes already, nothing is done.

    Raises
    ------
    InputError
        If another file stands in the place of one; then none is moved.
    """
    finals = _free(made, folder, replaced, taken)
    if all(final.exists() and _equal(one, final) for one, final in zip(made, finals, strict=True)):
        return finals
    manifest, *others = finals
    older = [file for file in replaced if file != manifest]

    def own(file: Path) -> bool:
        """Return whether a file belongs to the earlier family."""
        return file in replaced or file == manifest

    with atomic_write(manifest, "w", place=partial(place, own=own)) as file:
        file.write(unfinished(made[0], older))
    for one, final in zip(made[1:], others, strict=True):
        place(one, final, own=own)
    for left in set(older) - set(others):
        left.unlink(missing_ok=True)
    place(made[0], manifest, own=own)
    sync_folder(folder)
    return finals


def _free(
    made: Sequence[Path],
    folder: Path,
    replaced: Collection[Path] = (),
    taken: Callable[[Path], InputError] = foreign,
) -> list[Path]:
    """Return the places of files; raise if another file stands in one that has other bytes and is not replaced."""
    finals = [folder / one.name for one in made]
    for one, final in zip(made, finals, strict=True):
        check_output(final)
        if final not in replaced and os.path.lexists(final) and not _equal(one, final):
            raise taken(final)
    return finals


def _equal(one: Path, other: Path) -> bool:
    """Compare the bytes of two files."""
    return filecmp.cmp(one, other, shallow=False)
