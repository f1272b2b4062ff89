"""Check what a reader returns: that it yields entries, and of a reader of your own also what stands in them."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from recipe.config.calls import guarded
from recipe.config.code import name_of
from recipe.config.knobs import shown
from recipe.config.registry import find
from recipe.errors import ConfigError
from recipe.stages.read._detect import no_record, surer_reader
from recipe.stages.read._entry import SPEAKERS, Entry, dump, is_broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipe.stages.read._detect import Format
    from recipe.stages.read._entry import Context

FIELDS = {"image": str, "id": str, "extra": str, "task_name": str, "problem": str, "raw": bytes}


def reader_of(reader: Format, *, mixed: bool = False) -> Callable[[dict[str, Any], Context], list[Entry]]:
    """Return the function that makes checked entries of a record.

    Parameters
    ----------
    reader
        A name, ``module:function``, or a callable.
    mixed
        Whether a record with which a shipped reader finds a problem is read by another one that is surer of it.

    Returns
    -------
    callable
        ``(record, context) -> entries``. It raises `ConfigError` if the reader returns anything but entries, and
        `FunctionError` if a reader of your own raises an exception. A text with half of a surrogate pair becomes an
        entry with the problem L12, and a record of which the reader makes nothing one with not_a_record.

    Examples
    --------
    >>> from recipe.stages.read._entry import Context
    >>> reader_of(lambda record, context: [Entry([("human", record["q"])])])({"q": "Who?"}, None)[0].turns
    [('human', 'Who?')]
    """
    read, own = find("read", reader), name_of(reader)
    if own is None and mixed:
        return partial(_by_the_surest, str(reader), read)

    def checked(record: dict[str, Any], context: Context) -> list[Entry]:
        if own is None:
            return _entries(read(record, context), str(reader))
        with guarded(reader, about=context and context.path):
            made = read(record, context)
            if not hasattr(made, "__iter__") or isinstance(made, Entry):
                raise ConfigError(f"read.{own}: expected an iterable of Entry objects, got {shown(made)}; yield each")
            found = _entries(made, own)
        return [_sound(entry, own, record) for entry in found] or [no_record(record, "the reader made nothing of it")]

    return checked


def _by_the_surest(name: str, read: Callable[..., Any], record: dict[str, Any], context: Context) -> list[Entry]:
    """Read a record by the reader of its file, or by another one that is surer of it if that finds a problem."""
    made = _entries(read(record, context), name)
    if any(entry.problem for entry in made) and (other := surer_reader(name, record)):
        return _entries(find("read", other)(record, context), other)
    return made


def _entries(made: Any, who: str) -> list[Entry]:
    """Return the entries that a reader makes of a record, or raise if they are of another type."""
    entries: list[Entry] = []
    for one in made:
        if not isinstance(one, Entry):
            what = f"expected a reader to return recipe.stages.read.Entry objects, got {type(one).__name__}"
            raise ConfigError(f"read.{who}: {what}")
        entries.append(one)
    return entries


def _sound(entry: Entry, who: str, record: dict[str, Any]) -> Entry:
    """Return an entry whose fields are of the right types, or raise; a text that cannot be written is a problem."""
    turns = entry.turns
    if not isinstance(turns, list) or not all(map(_is_turn, turns)):
        what = 'expected turns as a list of ("human" or "gpt", text)'
        raise ConfigError(f"read.{who}: {what}, got turns={shown(turns)}; correct what it yields")
    for name, kind in FIELDS.items():
        value = getattr(entry, name)
        if value is not None and not isinstance(value, kind):
            raise ConfigError(f"read.{who}: expected {name} as {kind.__name__} or None, got {name}={shown(value)}")
    if entry.extra is not None and not _is_object(entry.extra):
        what = "expected extra as a JSON object in a text"
        raise ConfigError(f"read.{who}: {what}, got extra={shown(entry.extra)}; write it by json.dumps")
    texts = [*(text for _, text in turns), entry.image, entry.id, entry.extra, entry.task_name, entry.problem]
    return Entry([], problem="L12", raw=dump(record)) if any(text and is_broken(text) for text in texts) else entry


def _is_turn(turn: object) -> bool:
    """Return whether a turn is a pair of a speaker and a text."""
    pair = isinstance(turn, tuple | list) and len(turn) == len(("speaker", "text"))
    return pair and turn[0] in SPEAKERS.values() and isinstance(turn[1], str)  # type: ignore[index]


def _is_object(text: str) -> bool:
    """Return whether a text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
