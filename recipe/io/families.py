"""A mix and the files beside it, which its manifest names: a family, recognised and replaced as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import msgspec

from recipe.io.formats import FileName, Sha256
from recipe.io.hashes import sha256
from recipe.io.regular import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORMATS = {".json": "llava", ".jsonl": "jsonl"}  # the ending of a mix, and the writer for it
MANIFEST = ".manifest.json"
SIDE_FILES = ("scores.parquet", "rejects.jsonl", "stats.json")  # beside every mix, with its manifest; some writers add


class _Part(msgspec.Struct):
    """A file of a mix that has one for each part."""

    name: FileName
    sha256: Sha256


class _Written(msgspec.Struct):
    """What a manifest says of the files of its mix."""

    format: str
    ending: Annotated[str, msgspec.Meta(pattern=r"^(\.[^/\\\x00]+)?$")] | None = None
    sha256: Sha256 | None = None
    beside: dict[FileName, Sha256] = {}
    files: list[_Part] = []
    unfinished: dict[FileName, Sha256] = {}


class _Manifest(msgspec.Struct):
    """The keys by which a manifest is recognised."""

    format: int
    recipe: dict[str, msgspec.Raw]
    sources: list[msgspec.Raw]
    mix: _Written


def side_file(path: Path, name: str) -> Path:
    """Return the path of a file beside the mix, such as mix.manifest.json beside mix.json."""
    return path.with_name(f"{path.stem}.{name}")


def family_of(manifest: Path) -> dict[Path, set[str]] | None:
    """List the files of a mix by its manifest: the mix or one file for each part, and the files beside it.

    Parameters
    ----------
    manifest
        A file such as ``mix.manifest.json``.

    Returns
    -------
    dict or None
        Path to the SHA-256 that the file may have; to none where the manifest names none: of itself, and of the files
        beside a mix of version 0.1. None if the file does not exist, or is no manifest.
    """
    try:
        found = msgspec.json.decode(bytes_of(manifest), type=_Manifest)
    except (OSError, ValueError, RecursionError):
        return None
    stem, written = manifest.name.removesuffix(MANIFEST), found.mix
    own = [one for one in written.files if one.name.startswith(f"{stem}.")]  # no manifest speaks for other files
    hashes: list[tuple[str, str | None]] = [(one.name, one.sha256) for one in own]
    if not written.files:
        ending = written.ending or next((end for end, name in FORMATS.items() if name == written.format), "")
        hashes = [(stem + ending, written.sha256)]
    hashes += [(f"{stem}.{name}", written.beside.get(name)) for name in dict.fromkeys([*SIDE_FILES, *written.beside])]
    hashes += [(name, known) for name, known in written.unfinished.items() if name.startswith(f"{stem}.")]
    family: dict[Path, set[str]] = {manifest: set()}
    for name, known in hashes:
        family.setdefault(manifest.with_name(name), set()).update([known] if known else [])
    return family


def unchanged_in(family: dict[Path, set[str]]) -> list[Path]:
    """List the files of a family that exist as they were written."""
    return [file for file, known in family.items() if file.is_file() and (not known or sha256(file) in known)]


def family_with(file: Path) -> Path | None:
    """Return the manifest of the mix to which a file beside it belongs, by its name; None if there is none."""
    for manifest in sorted(file.parent.glob(f"*{MANIFEST}")):
        if file.name.startswith(manifest.name.removesuffix(MANIFEST)) and file in (family_of(manifest) or ()):
            return manifest
    return None


def unfinished(manifest: Path, replaced: Iterable[Path]) -> str:
    """Return the text of a manifest that stands while its files are moved to their place.

    By it, the run after a kill knows each file as its own, whether it is the new one or the one before.

    Parameters
    ----------
    manifest
        The manifest, complete.
    replaced
        The files that the family replaces, which still stand.
    """
    content = json.loads(manifest.read_bytes())
    content["mix"]["unfinished"] = {file.name: sha256(file) for file in replaced}
    return json.dumps(content, indent=1) + "\n"
