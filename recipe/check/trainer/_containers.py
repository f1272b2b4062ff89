"""The records of a file as a trainer's loader decodes them, with what it would not decode."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.check.trainer.findings import finding
from recipe.errors import InputError
from recipe.io.regular import bytes_of, regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recipe.check.trainer.findings import Finding

BROKEN = object()  # stands for a line that could not be decoded
SHOWN = 60  # characters of what came instead


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a mix file."""
    try:
        return bytes_of(path)
    except OSError as error:
        raise InputError(f"expected a mix file, got {str(path)!r}: {error.strerror}; name a readable file") from error


def readable(path: Path) -> Path:
    """Return the path of a file that can be opened; raise if there is none, or it is a pipe."""
    try:
        regular(path)
    except OSError as error:
        raise InputError(f"expected a mix file, got {str(path)!r}: {error.strerror}; name a readable file") from error
    return path


def array(path: Path) -> tuple[list[Any], list[Finding]]:
    """Return the records of one JSON array."""
    try:
        found = json.loads(read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return [], [finding("T01", detail=f"expected a JSON array, {' '.join(str(error).split()):.{SHOWN}}")]
    if not isinstance(found, list):
        return [], [finding("T01", detail=f"expected a JSON array, got {type(found).__name__}")]
    return found, [] if found else [finding("T02")]


def lines(path: Path) -> tuple[list[Any], list[Finding]]:
    """Return the records of JSON Lines; a line that cannot be decoded is `BROKEN`, and has a finding."""
    try:
        text = read_bytes(path).decode("utf-8")
    except ValueError as error:
        return [], [finding("T01", detail=f"expected UTF-8, {' '.join(str(error).split()):.{SHOWN}}")]
    records: list[Any] = []
    findings: list[Finding] = []
    for line in text.removesuffix("\n").split("\n") if text else []:
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            findings.append(finding("T01", len(records), detail=f"expected a record on each line, got {line:.{SHOWN}}"))
            records.append(BROKEN)
    return records, findings if records else [finding("T02")]


def decoded(records: list[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the number of each record that could be decoded, and the record."""
    return ((number, record) for number, record in enumerate(records) if record is not BROKEN)


def array_or_lines(path: Path) -> tuple[list[Any], list[Finding]]:
    """Return the records of a file that is JSON Lines if its ending says so."""
    return lines(path) if path.suffix == ".jsonl" else array(path)


def beside(path: Path, ending: str) -> tuple[Any, Iterator[Finding]]:
    """Return what the JSON file of this ending beside a mix holds, None for none, and a finding if it is broken.

    Beside a file of a part, as ``mix.stage1.json``, it is the one of the whole mix.
    """
    for stem in (path.stem, path.stem.rpartition(".")[0]):
        file = path.with_name(f"{stem}.{ending}")
        if stem and file.is_file():
            try:
                return json.loads(read_bytes(file).decode("utf-8")), iter(())
            except (ValueError, RecursionError) as error:
                return None, iter([finding("T12", detail=f"{file.name}: {' '.join(str(error).split()):.{SHOWN}}")])
    return None, iter(())
