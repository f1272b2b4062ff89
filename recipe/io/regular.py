"""Files of users are opened only if they are regular: a pipe has no end before its writer comes, a device has none."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISDIR, S_ISREG

NO_FILE = "it is a pipe, a socket or a device"


def regular(path: str | os.PathLike[str]) -> os.stat_result:
    """Return the state of a regular file.

    Parameters
    ----------
    path
        A file, or a link to one.

    Returns
    -------
    os.stat_result
        Its size, times and so on.

    Raises
    ------
    OSError
        If nothing, a folder, a pipe, a socket or a device stands there, whose `strerror` says so.

    Examples
    --------
    >>> regular("/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 22] it is a pipe, a socket or a device: '/dev/null'
    """
    try:
        found = Path(path).stat()
    except ValueError as error:  # a zero byte in the path
        raise OSError(errno.EINVAL, str(error), str(path)) from None
    if S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, NO_FILE, str(path))
    return found


def bytes_of(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a regular file; raise OSError as `regular`, instead of waiting for a writer."""
    regular(path)
    return Path(path).read_bytes()
