"""JSON files that state the version of their format, checked against the types of their keys."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, overload

import msgspec

from recipe.errors import InputError
from recipe.io.regular import bytes_of

if TYPE_CHECKING:
    from pathlib import Path

Shape = TypeVar("Shape")
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^(?!\.{1,2}$)[^/\\\x00]+$")]  # of a file in the same folder


@overload
def read_versioned(
    file: Path, what: str, version: int, shape: type[Shape], *, fix: str, name: str | None = None
) -> Shape: ...
@overload
def read_versioned(file: Path, what: str, version: int, *, fix: str, name: str | None = None) -> dict[str, Any]: ...
def read_versioned(file: Path, what: str, version: int, shape: Any = dict, *, fix: str, name: str | None = None) -> Any:
    """Read a JSON file, and check the version of its format and the type of every key.

    Parameters
    ----------
    file
        An object in UTF-8 whose key `format` is the version.
    what
        What it should be, with its article: ``"a manifest"``.
    version
        The supported version.
    shape
        A TypedDict or a dataclass whose annotations, with `msgspec.Meta`, are what its keys must be; any object by
        default.
    fix
        What to do about another version.
    name
        The name of the file in an error; its path by default.

    Returns
    -------
    object
        Of that shape.

    Raises
    ------
    InputError
        If the file cannot be read, is no such object, has another version, or a key of another type.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "mix.manifest.json")
    ...     _ = file.write_text('{"format": 7}')
    ...     read_versioned(file, "a manifest", 1, fix="write the mix again", name=file.name)
    Traceback (most recent call last):
    recipe.errors.InputError: mix.manifest.json: expected a manifest of format 1, got format=7; write the mix again
    """
    where = name or str(file)
    try:
        content = json.loads(bytes_of(file).decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        msgspec.json.encode(content)  # raises for half a surrogate pair, which no table can hold
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: cannot read the {what.removeprefix('a ')}: {_line(error)}; {fix}") from None
    if not isinstance(content, dict) or content.get("format") != version or content["format"] is True:
        got = (
            f"format={content.get('format')!r:.60}" if isinstance(content, dict) else f"a JSON {type(content).__name__}"
        )
        raise InputError(f"{where}: expected {what} of format {version}, got {got}; {fix}")
    try:
        return content if shape is dict else msgspec.convert(content, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise InputError(f"{where}: cannot read the {what.removeprefix('a ')}: {_place(error)}; {fix}") from None


def _place(error: Exception) -> str:
    """Return the path of a key and what is wrong with it.

    Examples
    --------
    >>> _place(ValueError("Expected `int`, got `str` - at `$.mix.samples`"))
    'mix.samples: expected `int`, got `str`'
    """
    what, _, path = _line(error).partition(" - at `$")
    place = path.rstrip("`").lstrip(".")
    return f"{place}: {what[:1].lower()}{what[1:]}" if place else f"{what[:1].lower()}{what[1:]}"


def _refuse(word: str) -> None:
    """Raise for NaN and the infinities, which JSON does not have."""
    raise ValueError(f"{word} is no JSON")


def _finite(digits: str) -> float:
    """Parse a number with a point; raise if it is beyond 64 bits."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits:.20} is beyond 64 bits")
    return number


def _line(error: Exception) -> str:
    """Return the message of an error as one line."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return " ".join(str(error).split())
