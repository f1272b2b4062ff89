"""What stages leave for later: files named after what they are made of, in a folder or behind any fsspec URL."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, TYPE_CHECKING, Any

from recipe.errors import InputError, MissingExtra
from recipe.io.atomic import atomic_write
from recipe.io.formats import read_versioned
from recipe.io.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
MARK = "recipe-cache.json"
DEFAULT = ".recipe-cache"


@dataclass(frozen=True)
class Store:
    """A place for artefacts. Every file in it is whole, and never changes once it is there.

    Parameters
    ----------
    root
        A folder, or a URL that fsspec understands; what lies behind a URL is copied to this machine when it is read.
    """

    root: str
    _kept: TemporaryDirectory[str] | None = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        """Travel to another process as a name: the folder of a store that is kept for a while stays with its owner."""
        return Store, (self.root,)

    def has(self, name: str) -> bool:
        """Tell whether an artefact is there."""
        return bool(_remote(self.root).exists(f"{self.root}/{name}")) if self._far else Path(self.root, name).exists()

    def get(self, name: str) -> Path:
        """Return where an artefact can be read on this machine."""
        if not self._far:
            return Path(self.root, name)
        near = self._mirror / name
        if not near.exists():
            near.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(near) as file, _remote(self.root).open(f"{self.root}/{name}", "rb") as far:
                shutil.copyfileobj(far, file)
        return near

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open an artefact for writing; it appears under its name when it is whole, or not at all."""
        final = self._mirror / name if self._far else Path(self.root, name)
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot be made ({error.strerror})"
            raise InputError(f"{final.parent}: {what}; name another cache, or switch it off") from error
        with atomic_write(final) as file:
            yield file
        if self._far:
            remote = _remote(self.root)
            remote.makedirs(f"{self.root}/{name}".rpartition("/")[0], exist_ok=True)
            remote.put_file(str(final), f"{self.root}/{name}.{os.getpid()}.tmp")
            remote.mv(f"{self.root}/{name}.{os.getpid()}.tmp", f"{self.root}/{name}")

    def remove(self, name: str) -> None:
        """Remove an artefact, if it is there."""
        if self._far and self.has(name):
            _remote(self.root).rm(f"{self.root}/{name}")
        (self._mirror / name if self._far else Path(self.root, name)).unlink(missing_ok=True)

    def put_json(self, name: str, content: object) -> None:
        """Write an artefact of JSON."""
        with self.writing(name) as file:
            file.write(json.dumps(content, indent=1, sort_keys=True).encode())

    def get_json(self, name: str) -> Any:
        """Read an artefact of JSON."""
        return json.loads(self.get(name).read_bytes())

    def stage(self, name: str, **made_of: Any) -> str:
        """Return the folder of a stage's artefacts: its name and a hash of all that they are made of.

        Parameters
        ----------
        name
            What the stage is called.
        **made_of
            Names of artefacts that it reads and parameters that matter, for JSON; the versions of the libraries that
            bytes hang on are added.

        Returns
        -------
        str
            The folder, which says in `about.json` what it is made of.
        """
        about = {"format": FORMAT, "stage": name, "made_of": made_of, "versions": versions()}
        told = json.dumps(about, sort_keys=True, default=str).encode()
        folder = f"{name}-{blake2b(told, digest_size=8).hexdigest()}"
        if not self.has(MARK):
            self.put_json(MARK, {"format": FORMAT})
        if not self.has(f"{folder}/about.json"):
            self.put_json(f"{folder}/about.json", about)
        return folder

    @property
    def _far(self) -> bool:
        return "://" in self.root

    @property
    def _mirror(self) -> Path:
        """The folder of this machine where copies of what lies behind a URL are kept."""
        name = blake2b(self.root.encode(), digest_size=8).hexdigest()
        user = os.getuid() if hasattr(os, "getuid") else 0
        return Path(gettempdir(), f"recipe-{user}-{name}")


def open_store(cache: str | os.PathLike[str] | None) -> Store:
    """Open a cache; it is made when the first artefact comes.

    Parameters
    ----------
    cache
        A folder, or a URL for fsspec; None for a folder of its own, which is removed when nothing refers to it.

    Returns
    -------
    Store
        The place.

    Raises
    ------
    InputError
        If the folder is no cache of this version of the format, or cannot be written.
    MissingExtra
        If it is a URL and fsspec is not installed.
    """
    if cache is None:
        kept = TemporaryDirectory(prefix="recipe-", ignore_cleanup_errors=True)
        return Store(kept.name, kept)
    where = os.fspath(cache)
    store = Store(where.rstrip("/") if "://" in where else str(Path(where).absolute()))  # workers may stand elsewhere
    if store.has(MARK):
        check_format(store)
    elif "://" not in store.root and _holds_something(Path(store.root)):
        raise InputError(f"{store.root}: expected a cache of recipe or nothing, got other files; name another folder")
    return store


def _holds_something(path: Path) -> bool:
    """Tell whether there is a file, or a folder that is not empty."""
    return path.exists() and (not path.is_dir() or any(path.iterdir()))


def check_format(store: Store) -> None:
    """Raise unless a place is a cache of this version of the format."""
    fix = "it is another version's: remove it, or name another folder"
    read_versioned(store.get(MARK), "a cache", FORMAT, fix=fix, name=store.root)


@dataclass(frozen=True)
class Kept:
    """What a cache holds of one stage."""

    folder: str
    stage: str
    files: int
    size: int
    used: float


def list_cache(cache: str | os.PathLike[str]) -> list[Kept]:
    """List the stages that a cache holds, by name.

    Parameters
    ----------
    cache
        A folder.

    Returns
    -------
    list of Kept
        Folder, stage, number and bytes of its files, and when the latest was written, in seconds since 1970.

    Raises
    ------
    InputError
        If the folder is no cache of this version of the format.
    """
    root = Path(cache)
    if not root.exists():
        return []
    check_format(Store(str(root)))
    kept = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        files = [path.stat() for path in folder.rglob("*") if path.is_file()]
        latest = max((file.st_mtime for file in files), default=0.0)
        kept.append(
            Kept(folder.name, folder.name.rpartition("-")[0], len(files), sum(f.st_size for f in files), latest)
        )
    return kept


def clear_cache(cache: str | os.PathLike[str]) -> int:
    """Remove a cache and return how many bytes it held.

    Parameters
    ----------
    cache
        A folder.

    Raises
    ------
    InputError
        If the folder is no cache of this version of the format.
    """
    held = list_cache(cache)
    if Path(cache).exists():
        shutil.rmtree(cache)
    return sum(one.size for one in held)


def _remote(url: str) -> Any:
    """Return the file system behind a URL."""
    try:
        import fsspec  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingExtra.of("ray", f"{url}: a cache behind a URL needs fsspec") from error
    return fsspec.core.url_to_fs(url)[0]
