"""Where a command may write: never over a file that it reads, and never through a link or into a pipe."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_output(path: str | os.PathLike[str], reads: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Raise unless a file can be written without a loss of what the run reads.

    Hard links, symbolic links and other spellings of one path count as one file.

    Parameters
    ----------
    path
        The file to write.
    reads
        Every file that the run reads; those that do not exist are ignored.

    Raises
    ------
    InputError
        If the file is one of those that are read, or is a folder, a symbolic link, a pipe or a device, or its folder
        does not exist.

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
    try:
        if not target.parent.is_dir():
            raise InputError(f"{target}: expected a place in a folder that exists; make {target.parent}")
        found = target.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise InputError(f"{os.fspath(path)!s:.200}: cannot be written ({error}); name another file") from None
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
