"""JSON files that state the version of their format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def read_versioned(file: Path, what: str, version: int, *, fix: str, name: str | None = None) -> dict[str, Any]:
    """Read a JSON file and check the version of its format.

    Parameters
    ----------
    file
        An object in UTF-8 whose key `format` is the version.
    what
        What it should be, with its article: ``"a manifest"``.
    version
        The supported version.
    fix
        What to do about another version.
    name
        The name of the file in an error; its path by default.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    InputError
        If the file cannot be read, is no such object, or has another version.

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
        content = json.loads(file.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: cannot read the {what.removeprefix('a ')}: {_line(error)}; {fix}") from None
    if not isinstance(content, dict) or content.get("format") != version:
        got = f"format={content.get('format')!r}" if isinstance(content, dict) else f"a JSON {type(content).__name__}"
        raise InputError(f"{where}: expected {what} of format {version}, got {got}; {fix}")
    return content


def _line(error: Exception) -> str:
    """Return the message of an error as one line."""
    return " ".join(str(error).split())
