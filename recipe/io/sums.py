"""Checksums of the artefacts of a cache: beside each lies an entry, `<name>.sum`, which is written after it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from xxhash import xxh3_64_hexdigest, xxh3_128

from recipe.io.hashes import is_settled, state_of
from recipe.io.regular import regular

ENDING = ".sum"

_sound: dict[Path, tuple[tuple[int, ...], bytes]] = {}  # what this process has checked: state of a file, and its entry


class Entry(NamedTuple):
    """What is recorded of an artefact."""

    name: str
    size: int
    digest: str

    def encode(self) -> bytes:
        """Return the entry as one line, which ends with a checksum of itself."""
        text = f"{self.name} {self.size} {self.digest}"
        return f"{text} {xxh3_64_hexdigest(text.encode())}\n".encode()


def make_entry(name: str, path: str | Path) -> bytes:
    """Return the entry of an artefact.

    Parameters
    ----------
    name
        Its name in the cache: the entry of one artefact is not valid for another.
    path
        The file, complete; it was just written, so its bytes come from memory.
    """
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, xxh3_128).hexdigest()
        return Entry(name, file.tell(), digest).encode()


def read_entry(name: str, text: bytes) -> Entry | None:
    """Read the entry of an artefact; None if it is damaged, or of another artefact.

    Examples
    --------
    >>> text = Entry("read-0123/piece.arrow", 10, "ab").encode()
    >>> read_entry("read-0123/piece.arrow", text).size, read_entry("read-0123/other.arrow", text)
    (10, None)
    """
    try:
        own, size, digest, _ = text.decode().rsplit(" ", 3)
        entry = Entry(own, int(size), digest)
    except ValueError:
        return None
    return entry if own == name and entry.encode() == text else None


def fault(name: str, path: Path, text: bytes) -> str | None:
    """Return what is wrong with an artefact; None if it has the bytes that its entry names.

    A file is hashed once in a process, and again only if its state has changed since.
    """
    entry = read_entry(name, text)
    if entry is None:
        return "its checksum is damaged"
    try:
        found = regular(path)
        if found.st_size != entry.size:
            return f"expected {entry.size} bytes, got {found.st_size}"
        state = state_of(path)
        if _sound.get(path) == (state, text):
            return None
        if make_entry(name, path) != text:
            return "its bytes are not those that were written"
        if is_settled(state):
            _sound[path] = state, text
    except FileNotFoundError:
        raise
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None


def was_sound(path: Path) -> bool:
    """Return whether this process has checked a file, which has not changed since."""
    try:
        return path in _sound and _sound[path][0] == state_of(path)
    except OSError:
        return False
