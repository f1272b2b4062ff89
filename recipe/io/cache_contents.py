"""What a cache holds, stage by stage, and its removal."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recipe.io.cache import STAGE, UNSENT, check_format, named
from recipe.io.store import MARK
from recipe.io.sums import ENDING

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from recipe.io.store import Store


ARTEFACT = re.compile(r"(about|done)\.json|((shard|piece|whole)-)?[0-9]{5}\.(arrow|npy)|(matrix|scores)\.npy")


@dataclass(frozen=True)
class Kept:
    """The artefacts of one stage in a cache."""

    folder: str
    stage: str
    files: int
    size: int
    used: float


def list_cache(cache: str | os.PathLike[str]) -> list[Kept]:
    """List the stages in a cache, by name: what `clear_cache` removes, except the mark of the cache.

    Parameters
    ----------
    cache
        A folder, or a URL for fsspec.

    Returns
    -------
    list of Kept
        Folder, stage, number and total bytes of its files, and when the latest was written, in seconds since 1970.

    Raises
    ------
    InputError
        If the folder is no cache of this version of the format.
    """
    store = named(cache)
    stages: dict[str, list[tuple[int, float]]] = {}
    for path, (folder, about) in _own(store, _found(store)).items():
        if folder:
            stages.setdefault(folder, []).append((about["size"], _written(store.files, path, about)))
    return [
        Kept(folder, folder.rpartition("-")[0], len(files), sum(size for size, _ in files), max(t for _, t in files))
        for folder, files in sorted(stages.items())
    ]


def _written(files: Any, path: str, about: dict[str, Any]) -> float:
    """Return when a file was written, in seconds since 1970; 0 where the file system does not record it."""
    if isinstance(known := about.get("mtime"), int | float):
        return float(known)
    try:
        return float(files.modified(path).timestamp())
    except (NotImplementedError, KeyError):
        return 0.0


def clear_cache(cache: str | os.PathLike[str]) -> int:
    """Remove the files of a cache, and this machine's copies of one at a URL.

    A file is the cache's if it is the mark, or in the folder of a stage and an artefact by its name or its checksum.
    Everything else stays, and so does each folder that holds something else.

    Parameters
    ----------
    cache
        A folder, or a URL for fsspec.

    Returns
    -------
    int
        How many bytes the stages had, as `list_cache` counts them.

    Raises
    ------
    InputError
        If the folder is no cache of this version of the format.
    """
    store = named(cache)
    found = _found(store)
    size = 0
    for path, (folder, about) in sorted(_own(store, found).items()):
        store.files.rm_file(path)
        size += about["size"] if folder else 0
    folders = sorted({path.rpartition("/")[0] for path in found} | {store.path()}, key=len, reverse=True)
    for folder in folders:
        with suppress(OSError, FileNotFoundError):  # it holds something else, or is none, as in an object store
            store.files.rmdir(folder)
    store.forget()
    return size


def left_in(cache: str | os.PathLike[str]) -> list[str]:
    """List the files in the folder of a cache, as after it was cleared."""
    store = named(cache)
    return sorted(store.files.find(store.path())) if store.files.exists(store.path()) else []


def _found(store: Store) -> dict[str, dict[str, Any]]:
    """Return what the file system says of each file below a cache, by path; raise if it is no cache."""
    if not store.files.exists(store.path()):
        return {}
    check_format(store)
    found: dict[str, dict[str, Any]] = store.files.find(store.path(), detail=True)
    return found


def _own(store: Store, found: dict[str, dict[str, Any]]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return, of the files below a cache, its own: the folder of the stage, empty for the mark, and what is known."""
    own = {}
    for path, about in found.items():
        name = path.removeprefix(store.path()).lstrip("/")
        if _is_own(name, path, found):
            own[path] = name.partition("/")[0] if "/" in name else "", about
    return own


def _is_own(name: str, path: str, found: Collection[str]) -> bool:
    """Return whether a file below a cache is one of its own."""
    folder, _, file = name.rpartition("/")
    if not folder:
        return file.removesuffix(ENDING) == MARK or (UNSENT.search(file) is not None and MARK in file)
    whole = path.removesuffix(ENDING)
    listed = whole != path or path + ENDING in found
    named_so = ARTEFACT.fullmatch(file.removesuffix(ENDING)) is not None or UNSENT.search(file) is not None
    return STAGE.fullmatch(folder.partition("/")[0]) is not None and (listed or named_so)
