"""A store of artefacts, in a folder or at any fsspec URL: each is complete, and has a checksum beside it."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from typing import IO, TYPE_CHECKING, Any
from warnings import warn

from recipe.errors import DamagedCache, InputError, RecipeError
from recipe.io.atomic import atomic_write
from recipe.io.regular import bytes_of
from recipe.io.sums import ENDING, fault, make_entry, read_entry, was_sound
from recipe.io.versions import source_hash, versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.io.temporary import TemporaryFolder

FORMAT = 2
MARK = "recipe-cache.json"


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
        """Return whether an artefact exists with the bytes that were written; a damaged one is removed, with a warning.

        An artefact without an entry counts as absent: its writer died before it was complete.
        """
        try:
            text = self.bytes_of(name + ENDING)
            what = self._far_fault(name, text) if self._far else fault(name, self._near(name), text)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            what = f"its checksum cannot be read ({error.strerror})"
        if what is None:
            return True
        warn(DamagedCache(f"{self.path(name)}: {what}; it is removed and made again"), stacklevel=3)
        self.remove(name)
        return False

    def get(self, name: str) -> Path:
        """Return the path on this machine of an artefact that `has` has found.

        A file of a local folder is neither copied nor hashed again; a copy of a far one is checked in each process.
        """
        near = self._near(name)
        if was_sound(near) or (self.has(name) if self._far else near.is_file()):
            return near
        raise InputError(f"{self.path(name)}: it has left the cache during the run; run again")

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open an artefact for writing; it gets its name when it is complete, or not at all, and then its entry.

        In a folder it is written under a temporary name, synced and renamed. To a URL it is sent under a temporary name
        and then moved, which is one step on object stores and on file systems that can rename; where fsspec moves by
        copying in pieces, another machine may see an incomplete file during the copy, but no entry.
        """
        final = self._near(name)
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot be made ({error.strerror})"
            raise InputError(f"{final.parent}: {what}; name another cache, or switch it off") from error
        with atomic_write(final) as file:
            yield file
            file.flush()
            text = make_entry(name, file.name)
        with atomic_write(final.with_name(final.name + ENDING)) as file:
            file.write(text)
        if self._far:
            for ending in ("", ENDING):
                self._send(final.with_name(final.name + ending), self.path(name + ending))

    def remove(self, name: str) -> None:
        """Remove an artefact, if it exists, and first its entry."""
        for one in (name + ENDING, name):
            try:
                if self._far and self.files.exists(self.path(one)):
                    self.files.rm_file(self.path(one))
                self._near(one).unlink(missing_ok=True)
            except NotADirectoryError:
                continue
            except OSError as error:
                what = f"expected a file of the cache, got what cannot be removed ({error.strerror})"
                raise InputError(f"{self.path(one)}: {what}; remove it, or name another cache") from error

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
        about["code"] = source_hash()
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
        except Exception as error:  # each file system of fsspec raises its own
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

    def bytes_of(self, name: str) -> bytes:
        """Return the bytes of a small artefact, unchecked; raise OSError for a pipe in its place, which has no end."""
        if not self._far:
            return bytes_of(self._near(name))
        with self._line(name):
            return bytes(self.files.cat_file(self.path(name)))

    def _far_fault(self, name: str, text: bytes) -> str | None:
        """Return what is wrong with a far artefact; if nothing is, this machine has a sound copy of it."""
        entry, near = read_entry(name, text), self._near(name)
        with self._line(name):
            size = self.files.size(self.path(name))
        if entry and size != entry.size:
            return f"expected {entry.size} bytes, got {size}"
        with suppress(FileNotFoundError):
            if fault(name, near, text) is None:
                return None
            near.unlink()
        near.parent.mkdir(parents=True, exist_ok=True)
        with self._line(name), atomic_write(near) as file, self.files.open(self.path(name), "rb") as far:
            shutil.copyfileobj(far, file)
        return fault(name, near, text)

    @contextmanager
    def _line(self, name: str) -> Iterator[None]:
        """Report in one line that a far store cannot be read; each file system has its own errors."""
        try:
            yield
        except (FileNotFoundError, RecipeError):
            raise
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise InputError(
                f"{self.root}: {name} cannot be read ({what}); try again, or name another cache"
            ) from error

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
