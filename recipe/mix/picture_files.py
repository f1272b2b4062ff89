"""Pictures of picks as files: those whose bytes lie in the sources are written, and files are copied or linked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, get_args

from recipe.config.ranges import Placing
from recipe.config.registry import names
from recipe.config.writers import holds
from recipe.data.signatures import hash_of
from recipe.engine import watched
from recipe.errors import ConfigError, InputError
from recipe.io.atomic import sync_folder
from recipe.io.outputs import foreign, place
from recipe.io.temporary import temporary_folder
from recipe.mix.stored import has_stored, sorted_out, stored_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from recipe.config.step import Step
    from recipe.data.media import Medium
    from recipe.data.pool import Pool
    from recipe.mix.stored import Stored

_CHUNK = 1 << 20


class Written(NamedTuple):
    """What became of the pictures of some samples."""

    written: int
    """Files that were made."""
    kept: int
    """Files that stood there already, with the same bytes."""
    elsewhere: int
    """URLs and absolute paths, which lie where they say."""


def write_pictures(
    pool: Pool,
    rows: NDArray[np.int64],
    files: Mapping[str, str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    how: Placing = "copy",
    images: str | os.PathLike[str] | None = None,
) -> Written:
    """Write the pictures, videos and sounds of some samples to a folder, under the names by which a mix calls them.

    Each file gets its name when it is complete. What stands there with the same bytes is left, so that a run that was
    killed goes on; nothing else is replaced.

    Parameters
    ----------
    pool
        n samples.
    rows
        (k,) rows of the pool.
    files
        Source to its path.
    folder
        Where they go; it is made if it does not exist. A picture whose bytes lie in a source is called by their hash,
        as ``0909340e6ee7adfd526552d0ab615cfa.jpg``; a file keeps its path below `images`.
    how
        ``"copy"`` copies files, ``"link"`` makes hard links to them, which need no space; bytes are always written.
    images
        The folder in which pictures lie that are files.

    Returns
    -------
    Written
        Counts.

    Raises
    ------
    InputError
        If a picture is not found, a path leads out of the folder, another file stands in the place of one, or a source
        has changed since it was read.
    ConfigError
        If `how` is neither of these, or pictures are files and `images` is not given.

    Examples
    --------
    >>> import json, tempfile
    >>> import numpy as np
    >>> from recipe import read_pool
    >>> with tempfile.TemporaryDirectory() as at:
    ...     _ = Path(at, "a.jpg").write_bytes(b"1")
    ...     turns = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Me."}]
    ...     _ = Path(at, "pool.json").write_text(json.dumps([{"image": "a.jpg", "conversations": turns}]))
    ...     pool = read_pool(Path(at, "pool.json"))
    ...     write_pictures(pool, np.array([0]), {}, Path(at, "out"), images=at)
    Written(written=1, kept=0, elsewhere=0)
    """
    if how not in get_args(Placing):
        raise ConfigError(f"images_how: expected one of {', '.join(get_args(Placing))}, got how={how!r:.60}")
    stored, names_of_files, elsewhere = sorted_out(pool, rows)
    target = check_folder(folder)
    found = {name: _file(name, images, target) for name in names_of_files}
    there = _checked(found, images)
    try:
        target.mkdir(parents=True, exist_ok=True)
        todo = {name: one for name, one in stored.items() if not _is_there(target / name, one[1])}
        loose = [(name, path) for name, path in there.items() if not _is_same(path, target / name)]
        made = _write_bytes(todo, files, target) + _write_files(loose, target, how)
        sync_folder(target)
    except OSError as error:
        raise InputError(
            f"{error.filename or target}: cannot be written ({error.strerror}); check the folder"
        ) from error
    return Written(made, len(stored) + len(found) - made, elsewhere)


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the path of a folder for pictures; raise if something else stands there."""
    path = Path(folder)
    if os.path.lexists(path) and not path.is_dir():
        raise InputError(f"{path}: expected a folder for the pictures, or nothing, got a file; name another")
    return path


def check_pictures(pool: Pool, rows: NDArray[np.int64], writer: Step | None) -> None:
    """Raise if some samples have pictures inside of sources, and their file will not hold them.

    Parameters
    ----------
    pool, rows
        As for `write_pictures`.
    writer
        The recipe's `write.format`; your own is trusted.

    Raises
    ------
    ConfigError
        That says what to add.
    """
    if "bytes" in holds(writer) or (writer is not None and writer.name not in names("write")):
        return
    if inside := has_stored(pool, rows):
        count, source = inside
        what = f"expected pictures that are files, got {count:,} picks with pictures inside of sources, as {source}"
        raise ConfigError(f"{what}; name a folder for them (--images-out, images_out=), or write for trl or webdataset")


def _write_bytes(stored: Stored, files: Mapping[str, str | os.PathLike[str]], target: Path) -> int:
    """Write pictures that lie in sources, and return how many."""
    if not stored:
        return 0
    room = temporary_folder(target, prefix=".pictures.")
    try:
        for name, content in watched(stored_bytes(stored, files), len(stored), "pictures"):
            made = Path(room.name, name)
            with made.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            place(made, target / name)
    finally:
        room.remove()
    return len(stored)


def _write_files(todo: Sequence[tuple[str, Path]], target: Path, how: Placing) -> int:
    """Copy or link files, and return how many."""
    if not todo:
        return 0
    room = temporary_folder(target, prefix=".pictures.")
    try:
        for number, (name, path) in enumerate(watched(todo, len(todo), "pictures")):
            final = target / name
            final.parent.mkdir(parents=True, exist_ok=True)
            made = Path(room.name, str(number))
            _copy(path, made) if how == "copy" else _link(path, made)
            place(made, final)
    finally:
        room.remove()
    return len(todo)


def _copy(path: Path, made: Path) -> None:
    """Copy the bytes of a file."""
    with path.open("rb") as source, made.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
        file.flush()
        os.fsync(file.fileno())


def _link(path: Path, made: Path) -> None:
    """Make a hard link to a file; raise if its disk has none, or is another."""
    try:
        os.link(path.resolve(), made)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be linked ({error.strerror}); copy the pictures (--images-how copy)"
        ) from error


def _file(name: str, images: str | os.PathLike[str] | None, target: Path) -> Path | None:
    """Return the file of a picture: below the folder of the images, else below the target; None if there is none."""
    path = PurePosixPath(name)
    if ".." in path.parts or "\0" in name:
        raise InputError(
            f"{name!r:.200}: expected the path of a picture below its folder, got one that leads out of it"
        )
    for folder in (images, target):
        if folder is not None and os.path.isfile(file := Path(folder, *path.parts)):  # noqa: PTH113  false for an overlong name
            return file
    return None


def _checked(found: Mapping[str, Path | None], images: str | os.PathLike[str] | None) -> dict[str, Path]:
    """Return the files; raise if some are missing."""
    there = {name: file for name, file in found.items() if file is not None}
    missing = [name for name in found if name not in there]
    if not missing:
        return there
    what = f"{len(missing):,} of {len(found):,} pictures that are files, as {missing[0]!r:.200}"
    if images is None:
        raise ConfigError(f"images: expected the folder of {what}, got none; name it with --images (images=)")
    raise InputError(f"{os.fspath(images)}: expected {what}, got none; check the folder of the images (--images)")


def _is_there(final: Path, one: Medium) -> bool:
    """Return whether the bytes of a picture stand in its place; raise if others do."""
    if not os.path.lexists(final):
        return False
    if final.is_symlink() or not final.is_file():
        raise foreign(final)
    with final.open("rb") as file:
        if hash_of(iter(lambda: file.read(_CHUNK), b"")) != one.hash:
            raise foreign(final)
    return True


def _is_same(path: Path, final: Path) -> bool:
    """Return whether a file stands in its place already; raise if another does."""
    if not os.path.lexists(final):
        return False
    if final.is_file() and (final.samefile(path) or _equal(path, final)):
        return True
    raise foreign(final)


def _equal(one: Path, other: Path) -> bool:
    """Return whether two files have the same bytes."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        pieces: Iterable[tuple[bytes, bytes]] = iter(lambda: (a.read(_CHUNK), b.read(_CHUNK)), (b"", b""))
        return all(left == right for left, right in pieces)
