"""Find the reader of a file by a sample of its records, and that of a record that is not of its file's format."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from recipe.config.knobs import shown
from recipe.config.registry import names
from recipe.errors import ConfigError, InputError
from recipe.stages.read._dialects.columns import by_usual_names
from recipe.stages.read._entry import Entry, dump
from recipe.stages.read._json import Undecodable, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from recipe.stages.read._json import Found

    Format = str | Callable[..., Any]
    Record = dict[str, Any]

ROOM = 400  # characters of an error for the keys of a record
SAMPLE = 64  # records of a file by which its format is recognised, from its whole length
EXPECTED = {  # the keys by which each format is known, for an error
    "llava": ("id", "image", "conversations"),
    "messages": ("messages", "images"),
    "cauldron": ("images", "texts"),
    "alpaca": ("instruction", "input", "output", "images"),
    "swift": ("query", "response", "history", "images"),
    "qa": ("image", "question", "answer"),
    "captions": ("image", "caption"),
    "svit": ("image_id", "conversations"),
    "mimic_it": ("instruction", "answer", "image_ids"),
}


def no_record(value: object, why: str = "") -> Entry:
    """Return the entry for a value that is not a record."""
    return Entry([], problem=f"not_a_record:{why}" if why else "not_a_record", raw=dump(value))


def recognise(
    entries: Sequence[Found | Record], path: Path, *, lenient: bool, beside: Mapping[str, Any] | None = None
) -> Format:
    """Return the reader that is surest of a sample of records from the whole file; ties go to the first name.

    Parameters
    ----------
    entries
        The records of the file, or the first of them.
    path
        The file, for an error.
    lenient
        Whether a file of no known format is read as records that are none.
    beside
        What a list of files says of the records.

    Raises
    ------
    InputError
        If no reader recognises any record of the sample; it names the nearest format.
    """
    heads = _sample(entries, beside)
    sure = {name: sum(confidence(name, head) for head in heads) for name in readers()}
    surest = max(sure, key=lambda name: sure[name])  # names are in alphabetical order
    if sure[surest] > 0:
        return surest
    if not entries:
        return "llava"  # an empty file: any reader will do
    first = heads[0] if heads else _first(entries)
    what = f"expected a known format ({', '.join(readers())}), got {_shape(first, len(entries))}"
    if lenient:
        return lambda record, _: [no_record(record, what)]
    raise InputError(f"{path}: {what}; convert the file, or name its format")


def surer_reader(than: str, record: Record) -> str | None:
    """Return the reader that is surer of a record than that of its file, if there is one."""
    sure = {name: confidence(name, record) for name in readers()}
    surest = max(sure, key=lambda name: sure[name])
    return surest if sure[surest] > sure[than] else None


def is_known(value: object) -> bool:
    """Return whether any reader recognises a value as a record."""
    return isinstance(value, dict) and any(confidence(name, value) > 0 for name in readers())


@cache
def readers() -> dict[str, Any]:
    """Return the modules of the readers by name, in alphabetical order."""
    return {name: import_module(f"recipe.stages.read.{name}") for name in names("read")}


def confidence(name: str, record: Record) -> float:
    """Return how sure a reader is, or raise if it says no number from 0 to 1; a file without the function is not."""
    reader = readers()[name]
    sure = reader.confidence(record) if hasattr(reader, "confidence") else 0
    if not isinstance(sure, int | float) or not 0 <= sure <= 1:
        raise ConfigError(f"read.{name}.confidence: expected a number from 0 to 1, got {shown(sure)}; correct it")
    return sure


def _sample(entries: Sequence[Found | Record], beside: Mapping[str, Any] | None) -> list[Record]:
    """Return records from the whole length of a file, as far as they are objects."""
    step = max(1, len(entries) // SAMPLE)
    heads: list[Record] = []
    for at in range(0, len(entries), step):
        entry = entries[at]
        try:
            head = entry if isinstance(entry, dict) else decode(entry)
        except Undecodable:
            continue
        inside = head if isinstance(head, list) else [head]
        heads += [by_usual_names(one, beside) for one in inside[:SAMPLE] if isinstance(one, dict)]
    return heads


def _first(entries: Sequence[Found | Record]) -> object:
    """Return the first value that can be decoded."""
    for entry in entries[:SAMPLE]:
        try:
            return entry if isinstance(entry, dict) else decode(entry)
        except Undecodable:
            continue
    return None


def _shape(first: object, count: int) -> str:
    """Describe the entries of a file by the first of them, and name the format that is nearest to it."""
    if isinstance(first, dict) and first:
        keys = listed(first)
        if {"image_id", "width", "height"} <= first.keys():
            return f"records with the keys {keys}, which are sizes of images (read: image_data)"
        return f"records with the keys {keys}{_nearest(first)}"
    if isinstance(first, list) and first and isinstance(first[0], dict):
        return f"{count} entries without keys: lists of records with the keys {listed(first[0])}"
    return f"{count} entries without keys"


def listed(names: Iterable[object]) -> str:
    """Return names in quotes, as many as a line has room for.

    Examples
    --------
    >>> listed(["id", "image"])
    "'id', 'image'"
    """
    text = ", ".join(f"{name!r:.60}" for name in names)
    return text if len(text) <= ROOM else f"{text[:ROOM]}..."


def _nearest(record: Record) -> str:
    """Return which format a record is nearest to by its keys, and the first key that it lacks; nothing if to none."""
    shared = {name: sum(key in record for key in keys) / len(keys) for name, keys in EXPECTED.items()}
    best = max(shared, key=lambda name: shared[name])
    if shared[best] == 0:
        near = [
            (SequenceMatcher(None, key, own).ratio(), own, key, name)
            for name, keys in EXPECTED.items()
            for key in keys
            for own in record
        ]
        ratio, own, key, name = max(near)
        return f" (is {own!r:.60} meant as {key!r} of {name}?)" if ratio >= 0.75 else ""  # noqa: PLR2004  a misspelling
    lacks = next((key for key in EXPECTED[best] if key not in record), None)
    odd = f"lacks {lacks!r}" if lacks else f"has another {EXPECTED[best][-1]!r}"
    return f" (nearest is {best}: it {odd})"
