"""Samples in memory, written to temporary files of JSON, so that they are read as any other file is.

So they have the same readers, limits and rejects, are read by all workers, are found again in a cache by their bytes,
and take no memory beyond what holds them already: an iterator is taken once and never held. A picture in them is a data
URI in its record, whose bytes lie in the file as long as the pool lives; a mix names it by their hash.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import date, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.config.knobs import shown
from recipe.config.local import told
from recipe.data.checkpoint import Held as Kept
from recipe.errors import ConfigError, InputError, RecipeError
from recipe.io.cache import open_store
from recipe.stages.read._sources import File, survey
from recipe.stages.read._sources.given import raised, sort_out
from recipe.stages.read._sources.tables import records_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

    from recipe.stages.read._sources.given import Held, Sources

_STRANGE = re.compile(r"[^A-Za-z0-9_. -]|^\.+$")  # in the name of a file
TOO_DEEP = "[" * 101 + "]" * 101  # one more than any record may have: it is rejected for that
WANTED = "expected text, numbers, lists, objects and pictures in a record"
_SNIFFED = {b"\xff\xd8": "jpeg", b"\x89PNG": "png", b"GIF8": "gif", b"RIFF": "webp", b"BM": "bmp"}


class Found(NamedTuple):
    """What a pool is read from."""

    files: list[File]
    passed: list[tuple[str, str]]
    """What lies beside them and is passed over: its name and the reason."""
    held: Kept | None = None
    """What keeps the files of samples in memory."""


def find_files(sources: Sources) -> Found:
    """Return the files to read: those of the paths, and after them those of samples in memory, which are written here.

    Raises
    ------
    ConfigError
        If a source is neither, or a name is that of a file and of samples in memory.
    InputError, FunctionError
        As for `recipe.stages.read._sources.survey` and `spool`.
    """
    given = sort_out(sources)
    if given.paths is None:
        raise ConfigError(f"expected paths, records, a table or a dataset, got {shown(sources)}; name what to read")
    files, passed = survey(given.paths) if given.paths or not given.held else ([], [])
    if not given.held:
        return Found(files, passed)
    names = {file.source for file in files}
    if taken := [one.name for one in given.held if one.name in names]:
        raise ConfigError(f"expected a name that no file has for samples in memory, got {taken[0]!r}; name them apart")
    spooled, held = spool(given.held)
    return Found([*files, *spooled], passed, held)


def spool(held: Sequence[Held]) -> tuple[list[File], Kept]:
    """Write samples in memory to files, one for each name.

    Parameters
    ----------
    held
        Samples; those of one name are of one format.

    Returns
    -------
    list of File
        In the order of the names.
    Kept
        What keeps the files: they are removed when nothing refers to it, or the process ends.

    Raises
    ------
    ConfigError
        If one name is given two formats.
    InputError
        If a record holds something that is no JSON and no picture, or there is no record.
    FunctionError
        If the data raise an exception while they are taken.
    """
    formats: dict[str, Any] = {}
    for one in held:
        if formats.setdefault(one.name, one.format) != one.format:
            ways = f"{formats[one.name]!r} and {one.format!r}"
            raise ConfigError(f"{one.name}: expected one format for a name, got {ways}; name them apart")
    store = open_store(None)
    files = []
    for number, name in enumerate(formats):
        # the last part of its name stays: SVIT's files tell the task of their samples by it
        path = Path(store.root, str(number), _STRANGE.sub("_", name.rpartition("/")[2])[-100:] or "_")
        path.parent.mkdir()
        try:
            with path.open("xb") as file:
                taken = _write([one for one in held if one.name == name], file)
        except OSError as error:
            what = f"cannot be kept in {path.parent} ({error.strerror})"
            raise InputError(f"{name}: {what}; free some space, or name another folder by TMPDIR") from error
        if not taken:
            raise InputError(f"{name}: expected records, got none; check what was given")
        files.append(File(path, name, formats[name]))
    return files, Kept(store, {file.source: str(file.path) for file in files})


@contextmanager
def by_name(files: Sequence[File], held: Kept | None) -> Iterator[None]:
    """Call samples in memory by their name in an error, and not by the file that they were written to."""
    try:
        yield
    except RecipeError as error:
        text = str(error)
        for one in (file for file in files if held and file.source in held.files):
            text = text.replace(str(one.path), f"{one.source} (in memory)")
        error.args = (text,)
        raise


def _write(held: Sequence[Held], file: IO[bytes]) -> int:
    """Write the records of data of one name as an array, and return how many there are."""
    number = 0
    for one in held:
        for record in _taken(one):
            line = line_of(record, f"{one.name}: record {number}")
            file.write(f"{',' if number else '['}\n{line}".encode())
            number += 1
    file.write(b"\n]\n")
    return number


def _taken(held: Held) -> Iterator[Any]:
    """Yield the records of some data; what these raise is one line that says after which record."""
    records, last = None, -1
    while True:
        try:
            records = records or records_of(held.data)
            record = next(records)
        except StopIteration:
            return
        except (RecipeError, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # a query of polars may panic
            raise raised(held.name, error, last) from error
        last += 1
        yield record


def line_of(record: Any, where: str) -> str:
    """Write a record as one line of JSON, with data URIs for its pictures.

    Parameters
    ----------
    record
        A dict; anything else becomes a line that is rejected.
    where
        What it is called in an error.

    Returns
    -------
    str
        ASCII.

    Raises
    ------
    InputError
        If a value is neither JSON nor a picture, nor a number or an array of numpy, a date, or a decimal number.

    Examples
    --------
    >>> line_of({"id": 7, "image": {"bytes": b"GIF89a", "path": None}}, "memory: record 0")
    '{"id": 7, "image": {"bytes": "data:image/gif;base64,R0lGODlh", "path": null}}'
    """
    try:
        return json.dumps(dict(record) if isinstance(record, Mapping) else record, default=_plain)
    except RecursionError:
        return TOO_DEEP
    except Exception as error:  # noqa: BLE001  a picture of Pillow may raise anything
        if "Circular" in str(error):
            return TOO_DEEP
        what = (_strange(record) if isinstance(error, TypeError) else None) or f"one that raised {told(error)}"
        raise InputError(f"{where}: {WANTED}, got {what}; convert it") from None


def _plain(value: Any) -> Any:
    """Return a value that is no JSON as one that is; raise TypeError for one that has no equal there."""
    for kinds, write in _PLAIN.items():
        if isinstance(value, kinds):
            return write(value)
    return _of_library(value)


def _of_library(value: Any) -> Any:
    """Return a picture of Pillow, a number or an array of numpy, or a column of a table."""
    home = {cls.__module__.partition(".")[0] for cls in type(value).__mro__}
    if "PIL" in home and hasattr(value, "save"):
        return _of_pillow(value)
    if "numpy" in home:
        return _of_numpy(value)
    if home & {"polars", "pandas"} and hasattr(value, "to_list"):
        return value.to_list()
    raise TypeError(type(value).__name__)


def _of_numpy(value: Any) -> Any:
    """Return a number or an array of numpy; one line of bytes is a picture that is not decoded."""
    if getattr(value, "ndim", 0) == 1 and value.dtype == "uint8":
        return _uri(value.tobytes())
    return value.tolist()


def _of_pillow(image: Any) -> dict[str, Any]:
    """Return a picture of Pillow as a PNG, which keeps every pixel, and the path that it was opened from."""
    written = BytesIO()
    kept = image if image.mode in ("1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA") else image.convert("RGB")
    kept.save(written, "PNG")
    return {"bytes": _uri(written.getvalue()), "path": str(getattr(image, "filename", "") or "") or None}


def _uri(content: bytes) -> str:
    """Write bytes as a data URI."""
    kind = next((name for start, name in _SNIFFED.items() if content.startswith(start)), None)
    named = f"image/{kind}" if kind else "application/octet-stream"
    return f"data:{named};base64,{base64.b64encode(content).decode()}"


def _strange(value: Any, at: str = "", depth: int = 0) -> str | None:
    """Return the first value in a record that is no JSON, with its type and its keys."""
    if isinstance(value, str | int | float | bool | None) or depth > len(TOO_DEEP):
        return None
    if isinstance(value, Mapping):
        named = next((key for key in value if not isinstance(key, str | int | float | bool | None)), at)
        if named is not at:
            return f"the key {shown(named)}{at and f' in {at}'}"
        inner = ((f"{at}.{key}" if at else str(key), one) for key, one in value.items())
    elif isinstance(value, list | tuple):
        inner = ((f"{at}[{number}]", one) for number, one in enumerate(value))
    else:
        try:
            return _strange(_plain(value), at, depth + 1)
        except TypeError:
            return f"{type(value).__module__}.{type(value).__qualname__} in {at or 'its place'}"
    return next((found for key, one in inner if (found := _strange(one, key, depth + 1))), None)


_PLAIN: dict[tuple[type, ...], Callable[[Any], Any]] = {
    (bytes, bytearray, memoryview): lambda value: _uri(bytes(value)),
    (Mapping,): dict,
    (date, time): lambda value: value.isoformat(),  # with its time of day, if it has one
    (timedelta, Path): str,
    (Decimal,): float,
}
