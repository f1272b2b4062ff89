"""What a cache holds, stage by stage, and its removal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recipe.io.cache import check_format, named

if TYPE_CHECKING:
    import os


@dataclass(frozen=True)
class Kept:
    """The artefacts of one stage in a cache."""

    folder: str
    stage: str
    files: int
    size: int
    used: float


def list_cache(cache: str | os.PathLike[str]) -> list[Kept]:
    """List the stages in a cache, by name.

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
    if not store.files.exists(store.path()):
        return []
    check_format(store)
    stages: dict[str, list[tuple[int, float]]] = {}
    for path, about in store.files.find(store.path(), detail=True).items():
        folder, _, name = path.removeprefix(store.path()).lstrip("/").partition("/")
        if name:
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
    """Remove a cache, and this machine's copies of one at a URL, and return how many bytes it had.

    Parameters
    ----------
    cache
        A folder, or a URL for fsspec.

    Raises
    ------
    InputError
        If the folder is no cache of this version of the format.
    """
    store = named(cache)
    stages = list_cache(cache)
    if store.files.exists(store.path()):
        store.files.rm(store.path(), recursive=True)
        store.forget()
    return sum(one.size for one in stages)
