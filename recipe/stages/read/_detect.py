"""Find the reader of a file by its first records."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recipe.config.knobs import shown
from recipe.config.registry import names
from recipe.errors import ConfigError, InputError
from recipe.stages.read._entry import Entry, dump
from recipe.stages.read._json import Undecodable, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from recipe.stages.read._json import Found

    Format = str | Callable[..., Any]


def no_record(value: object, why: str = "") -> Entry:
    """Return the entry for a value that is not a record."""
    return Entry([], problem=f"not_a_record:{why}" if why else "not_a_record", raw=dump(value))


def recognise(entries: Sequence[Found], path: Path, *, lenient: bool) -> Format:
    """Return the reader that is surest of the first record that any reader recognises; ties go to the first name."""
    readers = {name: import_module(f"recipe.stages.read.{name}") for name in names("read")}
    first: object = None
    for entry in entries:
        try:
            head = decode(entry)
        except Undecodable:
            continue
        if isinstance(head, dict):
            sure = {name: _confidence(name, reader, head) for name, reader in readers.items()}
            surest = max(sure, key=lambda name: sure[name])  # names are in alphabetical order
            if sure[surest] > 0:
                return surest
        first = head if first is None else first
    if not entries:
        return "llava"  # an empty file: any reader will do
    what = f"expected a known format ({', '.join(readers)}), got {_shape(first, len(entries))}"
    if lenient:
        return lambda record, _: [no_record(record, what)]
    raise InputError(f"{path}: {what}; convert the file, or name its format")


def _confidence(name: str, reader: Any, record: dict[str, Any]) -> float:
    """Return how sure a reader is, or raise if it says no number from 0 to 1; a file without the function is not."""
    sure = reader.confidence(record) if hasattr(reader, "confidence") else 0
    if not isinstance(sure, int | float) or not 0 <= sure <= 1:
        raise ConfigError(f"read.{name}.confidence: expected a number from 0 to 1, got {shown(sure)}; correct it")
    return sure


def _shape(first: object, count: int) -> str:
    """Describe the entries of a file by the first of them."""
    if isinstance(first, dict) and first:
        keys = ", ".join(map(repr, first))
        if {"image_id", "width", "height"} <= first.keys():
            return f"records with the keys {keys}, which are sizes of images (read: image_data)"
        return f"records with the keys {keys}"
    if isinstance(first, list) and first and isinstance(first[0], dict):
        return f"{count} entries without keys: lists of records with the keys {', '.join(map(repr, first[0]))}"
    return f"{count} entries without keys"
