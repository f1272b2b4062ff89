"""The cache of stage results: opened by its name, and known by its mark."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path

from recipe.errors import InputError
from recipe.io.formats import read_versioned
from recipe.io.store import FORMAT, MARK, Store
from recipe.io.sums import ENDING
from recipe.io.temporary import temporary_folder

OLD = {"format": 1}  # the mark of caches whose artefacts have no checksums: they are passed over
DEFAULT = ".recipe-cache"
STAGE = re.compile(r"[a-z]+-[0-9a-f]{16}")  # the folder of a stage
UNSENT = re.compile(r"\.[0-9a-f]{8}\.tmp$")  # ends the name of a file that is being sent
_last: list[str] = []  # the cache that this process opened last, or will open


def open_store(cache: str | os.PathLike[str] | None) -> Store:
    """Open a cache; it is created when the first artefact is written.

    Parameters
    ----------
    cache
        A folder, or a URL for fsspec; None for a temporary folder, which is removed when nothing refers to it.

    Returns
    -------
    Store
        The cache.

    Raises
    ------
    InputError
        If the folder is no cache of this version of the format, or fsspec or a package that it needs cannot open it.
    """
    if cache is None:
        kept = temporary_folder()
        return Store(kept.name, kept)
    store = named(cache)
    _last[:] = [store.root]
    if not _is_marked(store) and _holds_something(store):
        raise InputError(f"{store.root}: expected a cache of recipe or nothing, got other files; name another folder")
    return store


def expect(cache: str | None) -> None:
    """Say which cache a run will open, so that its name is known before; None for none."""
    with suppress(InputError):  # which is raised when it is opened
        _last[:] = [] if cache is None else [named(cache).root]


def last_opened() -> str | None:
    """Return the name of the cache that this process opened last, or will open; None if there is none that is kept."""
    return _last[0] if _last else None


def named(cache: str | os.PathLike[str]) -> Store:
    """Return a store by its name; a folder by its absolute path, since workers may have another working directory."""
    where = os.fspath(cache) if isinstance(cache, str | os.PathLike) else ""
    protocol, url, rest = where.partition("://") if isinstance(where, str) else ("", "", "")
    if not where or not where.isprintable() or (url and not (protocol and rest.strip("/"))):
        raise InputError(f"cache={cache!r:.80}: expected a folder, or a URL such as s3://bucket/folder; name one")
    return Store(where.rstrip("/") if "://" in where else str(Path(where).absolute()))


def _holds_something(store: Store) -> bool:
    """Return whether there is a file, or a folder that contains one, other than what a run leaves there."""
    root = store.path()
    if store.files.isfile(root):
        return True
    for path, _, names in store.files.walk(root):
        inside = path.removeprefix(root).strip("/").partition("/")[0]
        if STAGE.fullmatch(inside):
            continue
        if any(inside or not (name in (MARK, MARK + ENDING) or UNSENT.search(name)) for name in names):
            return True
    return False


def _is_marked(store: Store) -> bool:
    """Return whether a store is a cache of this format, or an older one to go on in; raise if it is another version's.

    A damaged mark is removed, and made again if the folder holds nothing but stages.
    """
    if not store.files.exists(store.path(MARK)) or (
        store.files.exists(store.path(MARK + ENDING)) and not store.has(MARK)
    ):
        return False
    try:
        if json.loads(store.bytes_of(MARK)) == OLD:
            return True
    except OSError:  # no file stands there
        store.remove(MARK)
        return False
    except (ValueError, RecursionError):
        pass
    fix = "it is another version's: remove it, or name another folder"
    read_versioned(store.get(MARK), "a cache", FORMAT, fix=fix, name=store.root)
    return True


def check_format(store: Store) -> None:
    """Raise unless a store is a cache in this version of the format, or an older one to go on in."""
    if not _is_marked(store):
        raise InputError(
            f"{store.root}: expected a cache of recipe, got a folder without its mark; name another folder"
        )
