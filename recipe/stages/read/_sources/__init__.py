"""The files that a source stands for, the name of each, and what lies beside them and is passed over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import warn

from recipe.config.knobs import shown
from recipe.data.checkpoint import OWN_MIX
from recipe.errors import ConfigError, InputError, PassedOver, nearest
from recipe.io.families import MANIFEST, family_of
from recipe.stages.read._sources.aside import SIDE_DATA, companion, is_list_of_files, other_files, passed_over
from recipe.stages.read._sources.lists import YAML, Take, read_list
from recipe.stages.read._sources.walk import is_hidden, kind_of, matches, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    Source = str | os.PathLike[str] | Mapping[str, Any]

PACKED = ("", ".gz", ".zst", ".bz2", ".xz")
ENDINGS = (  # of the files that a folder is searched for; a file that is named directly may have any ending
    *(f"{ending}{packed}" for ending in (".json", ".jsonl", ".ndjson", ".tar") for packed in PACKED),
    *(".parquet", ".arrow", ".feather", ".tgz", ".tsv"),
)
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
    root
        The folder that a list of files names for its pictures, or None.
    take
        How much of it a list of files takes; None for all.
    beside
        What a list of files says of its records: columns and tags.
    """

    path: Path
    source: str
    format: str | None = None
    root: str | None = None
    take: Take | None = None
    beside: Mapping[str, Any] | None = None


class Survey(NamedTuple):
    """The files of some sources, and what is passed over: a name and the reason."""

    files: list[File]
    passed: list[tuple[str, str]]


def expand(sources: Source | Sequence[Source]) -> list[File]:
    """Return the files that the sources stand for, as `survey` finds them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.json", "a.json", "image_data.json"):
    ...         _ = Path(folder, name).write_text("[]")
    ...     [file.source for file in expand(folder)]
    ['a.json', 'b.json']
    """
    return survey(sources).files


def survey(sources: Source | Sequence[Source]) -> Survey:
    """Return the files that the sources stand for, each once, in the order in which they are named.

    A folder stands for the files of `ENDINGS` in it and in its subfolders, sorted by name, without hidden and
    unfinished files (`*.tmp`). Files that hold no samples are passed over and listed, as `image_data.json`, and what
    `recipe` writes beside a mix. A mix that `recipe` wrote, which its manifest tells, is passed over with a warning;
    name it to read it. A glob is treated alike, unless all that it matches are such mixes. A list of files (see
    `recipe.stages.read._sources.lists`) stands for the files that it names; in a folder, one in JSON is obeyed, and one
    in YAML is passed over with a warning.

    The name of a file is the one given with it, else its path below the common parent folder of all files, so names
    depend neither on the working directory nor on the order of the sources.

    Parameters
    ----------
    sources
        A file, a folder, a glob, a mapping with `path` and optionally `name` and `format`, or several of these.

    Returns
    -------
    Survey
        At least one file for each source, and what is passed over.

    Raises
    ------
    InputError
        If a path does not exist, a folder holds no file of samples, or a glob matches none.
    ConfigError
        If a mapping has an unknown key or no path, or one file is given two names or two formats.
    """
    many = [sources] if isinstance(sources, (str, os.PathLike, Mapping)) else list(sources)
    if not many:
        raise InputError("expected at least one file, folder or glob to read, got none; name one")
    found: dict[tuple[Path, str | None], File] = {}
    passed: dict[str, str] = {}
    for source in many:
        named = _named(source)
        paths, aside = _paths(os.fspath(named.path))
        passed |= dict(aside)
        for file in _with_lists([replace(named, path=path) for path in paths], passed):
            same = file.path.resolve(), file.root
            found[same] = _agree(found[same], file) if same in found else file
    files = list(found.values())
    if not files:
        raise InputError(f"expected files of samples, got lists that name none: {', '.join(passed)}; correct them")
    folder = Path(os.path.commonpath([file.path.parent for file in files]))
    named_files = [replace(f, source=f.source or f.path.relative_to(folder).as_posix()) for f in files]
    read_with = {beside.name for f in files if (beside := companion(f.path))} & set(SIDE_DATA)
    return Survey(_told_apart(named_files), sorted((n, why) for n, why in passed.items() if n not in read_with))


def _told_apart(files: list[File]) -> list[File]:
    """Give one file that lists name with several folders of pictures a name for each."""
    paths = [file.path for file in files]
    return [
        replace(file, source=f"{file.source}@{file.root}") if paths.count(file.path) > 1 and file.root else file
        for file in files
    ]


def _with_lists(files: list[File], passed: dict[str, str]) -> list[File]:
    """Put the files that lists name in the place of the lists; a file that a list names is read as it says."""
    made: dict[tuple[Path, str | None], File] = {}
    listed: set[Path] = set()
    for file in files:
        entries = read_list(file.path) if _may_list(file.path) else None
        for entry in entries or ():
            if entry.note:
                passed[file.path.name if entry.path == file.path else f"{file.path.name}: {entry.path.name}"] = (
                    entry.note
                )
            if entry.path != file.path:
                own = replace(file, path=entry.path, root=entry.root, take=entry.take, beside=entry.beside)
                made[entry.path.resolve(), entry.root] = own
                listed.add(entry.path.resolve())
        if entries is not None:
            listed.add(file.path.resolve())
    return [*(file for file in files if file.path.resolve() not in listed), *made.values()]


def _may_list(path: Path) -> bool:
    """Return whether a file may list others."""
    return path.suffix.lower() in YAML or (path.suffix.lower() == ".json" and is_list_of_files(path))


def _named(source: Source) -> File:
    """Parse one source as the user wrote it; an empty name is filled in later."""
    if isinstance(source, (str, os.PathLike)):
        return File(Path(source), "")
    if not isinstance(source, Mapping):
        raise ConfigError(f"expected a path, a glob or a mapping as a source, got {shown(source)}; name what to read")
    for key in source:
        if key not in KEYS:
            raise ConfigError(f"source {shown(dict(source))}: unknown key {shown(key)}, {nearest(str(key), KEYS)}")
    if not isinstance(source.get("path"), (str, os.PathLike)):
        raise ConfigError(f"source {shown(dict(source))}: expected a key 'path'; name the file, folder or glob")
    return File(Path(source["path"]), source.get("name") or "", source.get("format"))


def _agree(one: File, other: File) -> File:
    """Merge two mentions of one file, in either order."""
    if (one.source and other.source and one.source != other.source) or (
        one.format and other.format and one.format != other.format
    ):
        ways = f"name={one.source!r}, format={one.format!r} and name={other.source!r}, format={other.format!r}"
        raise ConfigError(f"{one.path}: expected one name and one format for a file, got {ways}; keep one of them")
    listed = one if one.beside or one.take or one.root else other
    return replace(
        listed,
        path=min(one.path, other.path),
        source=one.source or other.source,
        format=one.format or other.format,
    )


def _paths(name: str) -> tuple[list[Path], list[tuple[str, str]]]:
    """List the files that one path or glob stands for, and what is passed over."""
    if "\0" in name or not _is_name(name):
        raise InputError(f"expected a path, got {name!r:.80}; name a file, a folder or a glob")
    path = Path(os.path.abspath(name))  # noqa: PTH100  resolve() would follow links and lose their names
    kind = kind_of(path)
    if kind == "folder":
        return _of_folder(path)
    if kind == "file":
        return [path], []
    if kind is not None:
        raise InputError(f"expected a file, a folder or a glob, got {name!r:.200}, which is {kind}; name a file")
    if not has_magic(name):
        what = "expected a file, a folder or a glob"
        raise InputError(f"{what}, got {name!r:.200}, which does not exist; check the path")
    found = [file for hit in matches(path) for file in (_walked(hit) if kind_of(hit) == "folder" else [hit])]
    found = [file for file in found if not is_hidden(file.name) and kind_of(file) == "file"]
    aside = passed_over(found)
    files = [file for file in found if file not in aside]
    if not files:
        raise InputError(
            f"expected a glob that matches files, got {name!r:.200}, which matches none; check the pattern"
        )
    kept, mixes = _without_mixes(files, path)
    return kept or files, [*_named_aside(aside), *(mixes if kept else [])]


def _of_folder(path: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    """List the files of a folder, and what is passed over."""
    found = _walked(path)
    aside = passed_over(found)
    kept, mixes = _without_mixes([file for file in found if file not in aside], path)
    rest = [name for _, _, names in os.walk(path) for name in names if name not in {file.name for file in found}]
    lists = [
        file for file in walk(path, lambda name: name.endswith(YAML) and not is_hidden(name)) if _lists_files(file)
    ]
    if lists and not kept and not mixes:  # nothing but lists: they are what is meant
        return lists, _named_aside(aside)
    for file in lists:
        warn(PassedOver(f"{path}: passed over {file.name}, which lists files; name it to obey it"), stacklevel=5)
    if not kept:
        what = f"only mixes that recipe wrote in {path}; name them" if mixes else f"none in {path}; check the path"
        known = sorted(set(aside.values())) or [f"{count} ({reason})" for count, reason in other_files(rest)]
        if known and not mixes:
            what = f"only {', '.join(known[:3])} in {path}; check the path"
        raise InputError(
            f"expected a folder with {' or '.join(ENDINGS[:1] + ENDINGS[-4:])} files of samples, found {what}"
        )
    named_lists = [(file.name, "lists files; name it to obey it") for file in lists]
    rest = [name for name in rest if name not in {file.name for file in lists} and not is_hidden(name)]
    return kept, [*_named_aside(aside), *mixes, *named_lists, *other_files(rest)]


def _walked(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold samples, sorted by name."""
    return sorted(walk(folder, lambda name: name.lower().endswith(ENDINGS) and not is_hidden(name)))


def _lists_files(file: Path) -> bool:
    """Return whether a YAML file lists files."""
    try:
        return read_list(file) is not None
    except InputError:
        return False


def _named_aside(aside: Mapping[Path, str]) -> list[tuple[str, str]]:
    """Return what is passed over by name, without what `recipe` wrote, of which there may be much."""
    return [(file.name, reason) for file, reason in aside.items() if reason != "written beside a mix"]


def _without_mixes(files: list[Path], where: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    """Leave out the mixes that `recipe` wrote, with a warning; or a second run would read what the first has picked."""
    real = {file: file.resolve() for file in files}  # a link to a mix is one
    manifests = [one for folder in {file.parent for file in real.values()} for one in folder.glob(f"*{MANIFEST}")]
    mixes = {file for manifest in manifests for file in family_of(manifest) or ()}
    written = [file for file in files if real[file] in mixes]
    kept = [file for file in files if real[file] not in mixes]
    if kept and written:
        more = f" and {len(written) - 1} more" if len(written) > 1 else ""
        what = f"passed over {written[0].name}{more}, which recipe wrote"
        warn(PassedOver(f"{where}: {what}; name a mix to read it"), stacklevel=5)
    return kept, [(file.name, OWN_MIX) for file in written]


def _is_name(text: str) -> bool:
    """Return whether a text can be the name of a file: half of a surrogate pair cannot be written as bytes."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True
