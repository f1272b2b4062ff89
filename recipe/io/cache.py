"""The cache of stage results: files named by a hash of their inputs, in a folder or at any fsspec URL."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from typing import IO, TYPE_CHECKING, Any

from recipe.errors import InputError
from recipe.io.atomic import atomic_write
from recipe.io.formats import read_versioned
from recipe.io.temporary import TemporaryFolder, temporary_folder
from recipe.io.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
MARK = "recipe-cache.json"
DEFAULT = ".recipe-cache"
UNSENT = re.compile(r"\.[0-9a-f]{8}\.tmp$")  # ends the name of a file that is being sent
_last: list[str] = []  # the cache that this process opened last


@dataclass(frozen=True)
class Store:
    """A store of artefacts. Every file in it is complete, and is never changed.

    Parameters
    ----------
    root
        A folder, or a URL for fsspec; artefacts at a URL are copied to this machine when they are read.
    """

    root: str
    _kept: TemporaryFolder | None = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        """Pickle as a name only: a temporary folder stays with the process that owns it."""
        return Store, (self.root,)

    def has(self, name: str) -> bool:
        """Return whether an artefact exists."""
        return bool(self.files.exists(self.path(name)))

    def get(self, name: str) -> Path:
        """Return the path of an artefact on this machine; a file of a local folder is not copied."""
        near = self._near(name)
        if self._far and not near.exists():
            near.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(near) as file, self.files.open(self.path(name), "rb") as far:
                shutil.copyfileobj(far, file)
        return near

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open an artefact for writing; it gets its name when it is complete, or not at all.

        In a folder it is written under a temporary name, synced and renamed. To a URL it is sent under a temporary name
        and then moved, which is one step on object stores and on file systems that can rename; where fsspec moves by
        copying in pieces, another machine may see an incomplete file during the copy.
        """
        final = self._near(name)
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot be made ({error.strerror})"
            raise InputError(f"{final.parent}: {what}; name another cache, or switch it off") from error
        with atomic_write(final) as file:
            yield file
        if self._far:
            self._send(final, self.path(name))

    def remove(self, name: str) -> None:
        """Remove an artefact, if it exists."""
        if self.has(name):
            self.files.rm_file(self.path(name))
        self._near(name).unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove this machine's copies of a store at a URL."""
        if self._far:
            shutil.rmtree(self._mirror, ignore_errors=True)

    def put_json(self, name: str, content: object) -> None:
        """Write a JSON artefact."""
        with self.writing(name) as file:
            file.write(json.dumps(content, indent=1, sort_keys=True).encode())

    def get_json(self, name: str) -> Any:
        """Read a JSON artefact."""
        return json.loads(self.get(name).read_bytes())

    def stage(self, name: str, **made_of: Any) -> str:
        """Return the folder of a stage's artefacts: its name and a hash of everything they are made from.

        Parameters
        ----------
        name
            The name of the stage.
        **made_of
            Names of artefacts that it reads and parameters that matter, for JSON; the versions of the libraries that
            the bytes depend on are added.

        Returns
        -------
        str
            The folder, whose `about.json` lists what it is made from.
        """
        about = {"format": FORMAT, "stage": name, "made_of": made_of, "versions": versions()}
        text = json.dumps(about, sort_keys=True, default=str).encode()
        folder = f"{name}-{blake2b(text, digest_size=8).hexdigest()}"
        if not self.has(MARK):
            self.put_json(MARK, {"format": FORMAT})
        if not self.has(f"{folder}/about.json"):
            self.put_json(f"{folder}/about.json", about)
        return folder

    @property
    def files(self) -> Any:
        """The fsspec file system of the store."""
        return self._place[0]

    def path(self, name: str = "") -> str:
        """Return the path of an artefact, or of the store itself, in its file system."""
        return f"{self._place[1]}/{name}" if name else str(self._place[1])

    @cached_property
    def _place(self) -> tuple[Any, str]:
        """File system and path in it."""
        from fsspec.core import url_to_fs  # noqa: PLC0415  takes 0.1 s to load

        try:
            files, path = url_to_fs(self.root)
        except (ImportError, ValueError) as error:
            raise InputError(
                f"{self.root}: cannot be used as a cache ({error}); name a folder, or another URL"
            ) from error
        return files, path.rstrip("/")

    @cached_property
    def _far(self) -> bool:
        """Whether it is not on a disk of this machine, so that its artefacts are read as copies."""
        from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415  as above

        return not isinstance(self.files, LocalFileSystem)

    def _near(self, name: str) -> Path:
        """Return the path on this machine of an artefact, or of the copy of one at a URL."""
        return Path(self._mirror, name) if self._far else Path(self.path(name))

    @property
    def _mirror(self) -> Path:
        """The folder of this machine for copies of a store at a URL."""
        name = blake2b(self.root.encode(), digest_size=8).hexdigest()
        user = os.getuid() if hasattr(os, "getuid") else 0
        return Path(gettempdir(), f"recipe-{user}-{name}")

    def _send(self, near: Path, final: str) -> None:
        """Copy a file to the other machine, and give it its name there when it is complete."""
        temporary = f"{final}.{token_hex(4)}.tmp"
        self.files.makedirs(final.rpartition("/")[0], exist_ok=True)
        try:
            self.files.put_file(str(near), temporary)
            self.files.mv(temporary, final)
        except BaseException:
            with suppress(Exception):  # the connection may be lost
                self.files.rm_file(temporary)
            raise


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
    if store.has(MARK):
        check_format(store)
    elif _holds_something(store):
        raise InputError(f"{store.root}: expected a cache of recipe or nothing, got other files; name another folder")
    return store


def last_opened() -> str | None:
    """Return the name of the cache that this process opened last; None if it opened none that is kept."""
    return _last[0] if _last else None


def named(cache: str | os.PathLike[str]) -> Store:
    """Return a store by its name; a folder by its absolute path, since workers may have another working directory."""
    where = os.fspath(cache)
    return Store(where.rstrip("/") if "://" in where else str(Path(where).absolute()))


def _holds_something(store: Store) -> bool:
    """Return whether there is a file, or a folder that contains one, other than temporary files of a killed run."""
    root = store.path()
    if store.files.isfile(root):
        return True
    found = (name for _, _, names in store.files.walk(root) for name in names)
    return any(not UNSENT.search(name) for name in found)


def check_format(store: Store) -> None:
    """Raise unless a store is a cache in this version of the format."""
    fix = "it is another version's: remove it, or name another folder"
    read_versioned(store.get(MARK), "a cache", FORMAT, fix=fix, name=store.root)
