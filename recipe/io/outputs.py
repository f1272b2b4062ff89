"""Where a command may write: never over a file that it reads or that is not its own, through a link, or into a pipe."""

from __future__ import annotations

import filecmp
import os
import stat
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, overload

from recipe.errors import InputError
from recipe.io.atomic import atomic_write
from recipe.io.families import family_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    Own = Callable[[Path], bool]


def check_output(
    path: str | os.PathLike[str], reads: Iterable[str | os.PathLike[str]] = (), own: Own | None = None
) -> None:
    """Raise unless a file can be written without a loss of what the run reads.

    Hard links, symbolic links and other spellings of one path count as one file.

    Parameters
    ----------
    path
        The file to write.
    reads
        Every file that the run reads; those that do not exist are ignored.
    own
        Whether a file that stands there was written by `recipe` and may be replaced. By default this is left to
        `open_output` and `recipe.io.staging.settle`, which know the new bytes.

    Raises
    ------
    InputError
        If the file is one of those that are read, or is a folder, a symbolic link, a pipe or a device, or is not its
        own, or its folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pool = Path(folder, "pool.json")
    ...     _ = pool.write_text("[]")
    ...     check_output(Path(folder, "mix.json"), [pool])
    ...     check_output(Path(folder, ".", "pool.json"), [pool])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    recipe.errors.InputError: ...pool.json: expected another file than those that are read, got one; name another
    """
    target = Path(path)
    found = _standing_at(target)
    if found is None:
        return
    if stat.S_ISLNK(found.st_mode):
        raise InputError(f"{target}: expected a file or nothing, got a symbolic link; name the file itself")
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if target.is_dir() else "a pipe or a device"
        raise InputError(f"{target}: expected a file or nothing, got {kind}; name another file")
    for one in reads:
        try:
            same = os.path.samestat(found, os.stat(one))  # noqa: PTH116  a path, or the text of one
        except (OSError, ValueError):
            continue
        if same:
            raise InputError(f"{target}: expected another file than those that are read, got one; name another")
    if own is not None and not own(target):
        raise foreign(target)
    if own is not None and (manifest := family_with(target)):
        raise InputError(f"{target}: expected a file of its own, got one of the mix of {manifest.name}; name another")


def _standing_at(target: Path) -> os.stat_result | None:
    """Return what stands at a path, None for nothing; raise if nothing can be written there."""
    try:
        if not target.parent.is_dir():
            raise InputError(f"{target}: expected a place in a folder that exists; make {target.parent}")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise InputError(f"{target}: cannot be written (no right to write in its folder); name another folder")
        return target.lstat()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{target!s:.200}: cannot be written ({error}); name another file") from None


def read_by(reader: Callable[[Path], object]) -> Own:
    """Return the test whether a file is one that a reader of `recipe` accepts."""

    def own(file: Path) -> bool:
        """Return whether it can be read."""
        try:
            reader(file)
        except InputError:
            return False
        return True

    return own


def foreign(path: Path) -> InputError:
    """Return the error for a file that stands in the place of an output and is not `recipe`'s own."""
    return InputError(f"{path}: expected nothing, or what this command wrote before; move the file, or name another")


@overload
def open_output(
    path: str | os.PathLike[str],
    mode: Literal["wb"] = "wb",
    *,
    reads: Iterable[str | os.PathLike[str]] = (),
    own: Own | None = None,
) -> AbstractContextManager[IO[bytes]]: ...
@overload
def open_output(
    path: str | os.PathLike[str],
    mode: Literal["w"],
    *,
    reads: Iterable[str | os.PathLike[str]] = (),
    own: Own | None = None,
) -> AbstractContextManager[IO[str]]: ...
@contextmanager
def open_output(
    path: str | os.PathLike[str],
    mode: Literal["wb", "w"] = "wb",
    *,
    reads: Iterable[str | os.PathLike[str]] = (),
    own: Own | None = None,
) -> Iterator[IO[Any]]:
    """Open a file of the user's that gets its name only when it is complete, and replaces nothing but `recipe`'s own.

    Parameters
    ----------
    path, reads, own
        As for `check_output`, which is asked before and again at the end. Where `own` is not given, nothing is
        replaced; a file that has the new bytes already is left as it is.
    mode
        As for `recipe.io.atomic.atomic_write`.

    Yields
    ------
    file
        A file open for writing.

    Raises
    ------
    InputError
        As for `check_output`, or if the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     thesis = Path(folder, "thesis.txt")
    ...     _ = thesis.write_text("years of work")
    ...     with open_output(thesis, "w") as file:  # doctest: +ELLIPSIS
    ...         _ = file.write("numbers")
    Traceback (most recent call last):
    recipe.errors.InputError: ...thesis.txt: expected nothing, or what this command wrote before; move the file, ...
    """
    check_output(path, reads, own)
    with atomic_write(path, mode, place=partial(place, own=own)) as file:
        yield file


def place(made: Path, final: Path, own: Own | None = None) -> None:
    """Give a complete file its name, unless that is another file's by now."""
    check_output(final)
    if not os.path.lexists(final):
        _without_replacing(made, final)
    elif filecmp.cmp(made, final, shallow=False):
        made.unlink()
    elif own is not None and own(final):
        made.replace(final)
    else:
        raise foreign(final)


def _without_replacing(made: Path, final: Path) -> None:
    """Give a file a name that is free; raise if it is taken in this moment."""
    try:
        os.link(made, final)
    except FileExistsError:
        raise foreign(final) from None
    except OSError:  # no hard links on this disk
        made.replace(final)
    else:
        made.unlink()
