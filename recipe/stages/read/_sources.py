"""The files that a source stands for, and the name of each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from errno import ENAMETOOLONG
from glob import escape, glob, has_magic
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any
from warnings import warn

from recipe.errors import ConfigError, InputError, PassedOver, nearest
from recipe.io.families import MANIFEST, family_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Source = str | os.PathLike[str] | Mapping[str, Any]

ENDINGS = (
    ".json",
    ".jsonl",
    ".json.gz",
    ".jsonl.gz",
    ".json.zst",
    ".jsonl.zst",
)  # of the files that a folder is searched for; a file that is named directly may have any ending
SIDE_DATA = ("image_data.json",)  # Visual Genome's list of image sizes is kept beside SVIT's files and has no samples
SIDE_FILES = (".manifest.json", ".stats.json", ".rejects.jsonl")  # what `recipe` writes beside a mix
KEYS = ("path", "name", "format")


@dataclass(frozen=True)
class File:
    """A file of samples.

    Parameters
    ----------
    path
        Path of the file.
    source
        Its name in the pool.
    format
        A reader's name, or None to recognise it by its content.
    """

    path: Path
    source: str
    format: str | None = None


def expand(sources: Source | Sequence[Source]) -> list[File]:
    """Return the files that the sources stand for, each once, in the order in which they are named.

    A folder stands for the JSON files in it and in its subfolders, sorted by name, without hidden files, unfinished
    files (`*.tmp`), `image_data.json`, and what `recipe` writes beside a mix (`*.manifest.json`, `*.stats.json`,
    `*.rejects.jsonl`). A mix that `recipe` wrote, which its manifest tells, is passed over too, with a warning; name it
    to read it. A glob is treated alike, unless all that it matches are such mixes.

    The name of a file is the one given with it, else its path below the common parent folder of all files, so names
    depend neither on the working directory nor on the order of the sources.

    Parameters
    ----------
    sources
        A file, a folder, a glob, a mapping with `path` and optionally `name` and `format`, or several of these.

    Returns
    -------
    list of File
        At least one file for each source.

    Raises
    ------
    InputError
        If a path does not exist, a folder holds no JSON file, or a glob matches none.
    ConfigError
        If a mapping has an unknown key or no path, or one file is given two names or two formats.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.json", "a.json", "image_data.json"):
    ...         _ = Path(folder, name).write_text("[]")
    ...     [file.source for file in expand(folder)]
    ['a.json', 'b.json']
    """
    many = [sources] if isinstance(sources, (str, os.PathLike, Mapping)) else list(sources)
    if not many:
        raise InputError("expected at least one file, folder or glob to read, got none; name one")
    found: dict[Path, File] = {}
    for source in many:
        named = _named(source)
        for path in _paths(os.fspath(named.path)):
            file = replace(named, path=path)
            same = path.resolve()
            found[same] = _agree(found[same], file) if same in found else file
    files = list(found.values())
    folder = Path(os.path.commonpath([file.path.parent for file in files]))
    return [replace(f, source=f.source or f.path.relative_to(folder).as_posix()) for f in files]


def _named(source: Source) -> File:
    """Parse one source as the user wrote it; an empty name is filled in later."""
    if isinstance(source, (str, os.PathLike)):
        return File(Path(source), "")
    if not isinstance(source, Mapping):
        raise ConfigError(f"expected a path, a glob or a mapping as a source, got {source!r}; name what to read")
    for key in source:
        if key not in KEYS:
            raise ConfigError(f"source {dict(source)}: unknown key '{key}', {nearest(key, KEYS)}")
    if not isinstance(source.get("path"), (str, os.PathLike)):
        raise ConfigError(f"source {dict(source)}: expected a key 'path'; name the file, folder or glob")
    return File(Path(source["path"]), source.get("name") or "", source.get("format"))


def _agree(one: File, other: File) -> File:
    """Merge two mentions of one file, in either order."""
    if (one.source and other.source and one.source != other.source) or (
        one.format and other.format and one.format != other.format
    ):
        ways = f"name={one.source!r}, format={one.format!r} and name={other.source!r}, format={other.format!r}"
        raise ConfigError(f"{one.path}: expected one name and one format for a file, got {ways}; keep one of them")
    return File(min(one.path, other.path), one.source or other.source, one.format or other.format)


def _paths(name: str) -> list[Path]:
    """List the files that one path or glob stands for."""
    if "\0" in name:
        raise InputError(f"expected a path, got {name!r:.80}; name a file, a folder or a glob")
    path = Path(os.path.abspath(name))  # noqa: PTH100  resolve() would follow links and lose their names
    kind = _kind(path)
    if kind == "folder":
        found = sorted(_walk(path))
        files = _without_mixes(found, path)
        if not files:
            what = f"only mixes that recipe wrote in {path}; name them" if found else f"none in {path}; check the path"
            raise InputError(f"expected a folder with {' or '.join(ENDINGS)} files, found {what}")
        return files
    if kind == "file":
        return [path]
    if kind is not None:
        raise InputError(f"expected a file, a folder or a glob, got {name!r:.200}, which is {kind}; name a file")
    if not has_magic(name):
        what = "expected a file, a folder or a glob"
        raise InputError(f"{what}, got {name!r:.200}, which does not exist; check the path")
    matched = [file for hit in _matches(path) for file in (sorted(_walk(hit)) if _kind(hit) == "folder" else [hit])]
    files = [file for file in matched if not _passed_over(file.name) and _kind(file) == "file"]
    files = [file for file in files if file.name not in SIDE_DATA]
    if not files:
        raise InputError(
            f"expected a glob that matches files, got {name!r:.200}, which matches none; check the pattern"
        )
    return _without_mixes(files, path) or files


def _without_mixes(files: list[Path], where: Path) -> list[Path]:
    """Leave out the mixes that `recipe` wrote, with a warning; or a second run would read what the first has picked."""
    real = {file: file.resolve() for file in files}  # a link to a mix is one
    manifests = [one for folder in {file.parent for file in real.values()} for one in folder.glob(f"*{MANIFEST}")]
    mixes = {file for manifest in manifests for file in family_of(manifest) or ()}
    written = {file for file in files if real[file] in mixes}
    kept = [file for file in files if file not in written]
    if kept and len(kept) < len(files):
        first = next(file for file in files if file in written)
        more = f" and {len(files) - len(kept) - 1} more" if len(files) - len(kept) > 1 else ""
        what = f"passed over {first.name}{more}, which recipe wrote"
        warn(PassedOver(f"{where}: {what}; name a mix to read it"), stacklevel=4)
    return kept


def _kind(path: Path) -> str | None:
    """Return what stands at a path: ``"file"``, ``"folder"``, or something that is neither; None for nothing."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  Path.stat is the same, and this is asked of each hit
    except (FileNotFoundError, NotADirectoryError):
        return "a link to nothing" if os.path.islink(path) else None  # noqa: PTH114
    except OSError as error:  # a name that is too long, a link to itself, a folder that may not be entered
        return f"unreadable ({error.strerror})" if error.errno != ENAMETOOLONG else None
    if S_ISDIR(mode):
        return "folder"
    return "file" if S_ISREG(mode) else "a pipe, a socket or a device"


def _matches(pattern: Path) -> list[Path]:
    """List the paths that a glob matches, sorted by name; a folder is entered once, so that links make no loops."""
    _, *parts = pattern.parts
    found: dict[str, None] = {pattern.anchor: None}
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            found = {one: None for folder in found for one in _folders(folder, files=last)}
        elif has_magic(part):
            found = {one: None for folder in found for one in sorted(glob(os.path.join(escape(folder), part)))}  # noqa: PTH118, PTH207
        else:
            joined = (os.path.join(folder, part) for folder in found)  # noqa: PTH118
            found = {one: None for one in joined if os.path.lexists(one)}
    return [Path(one) for one in sorted(found)]


def _folders(folder: str, *, files: bool) -> Iterator[str]:
    """Yield a folder and all below it, each once however many links lead there; hidden ones only if they are it."""
    seen: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        try:
            found = os.stat(parent)  # noqa: PTH116
        except OSError:
            continue
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield parent
        if files:
            yield from (os.path.join(parent, name) for name in names if not name.startswith("."))  # noqa: PTH118


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the JSON files of a folder and of its subfolders."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _passed_over(name)]
        for name in names:
            if name.lower().endswith(ENDINGS) and name not in SIDE_DATA and not _passed_over(name):
                file = Path(parent, name)
                if (kind := _kind(file)) not in ("file", "folder"):
                    raise InputError(f"expected files in {folder}, got {file}, which is {kind}; remove it")
                if kind == "file":
                    yield file


def _passed_over(name: str) -> bool:
    """Return whether a name is hidden, a marker such as `_SUCCESS`, unfinished, or of a file beside a mix."""
    return name.startswith((".", "_")) or name.endswith((".tmp", *SIDE_FILES))
