"""LLaVA-v1.5's own format, which most mixes share, in all its dialects: one record a sample."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recipe.data.media import Medium, spelled
from recipe.stages.read._dialects.conversation import read_conversation
from recipe.stages.read._dialects.media import KEYS, NOTHING, alike, is_base64, is_nothing
from recipe.stages.read._entry import Entry, dump, is_broken, pack_extra, read_turns, text_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context

SCHEMA = ("id", "image", "conversations")
PLAIN = {"id", "conversations", "model"}  # keys of a record that is text alone
_OTHER = {*KEYS, "idx", "sample_id", "objects", "width", "height", "width_list"} - {"image"}


def confidence(record: dict[str, Any]) -> float:
    """Return 0.5 if a record has turns under `conversations` or `conversatons`, as in other formats too; else 0."""
    return 0.5 if has_turns(record) or ("conversatons" in record and has_turns(_respelled(record))) else 0


def has_turns(head: dict[str, Any], key: str = "conversations") -> bool:
    """Return whether a record has a list of turns with `from` or `value`."""
    turns = head.get(key)
    if isinstance(turns, dict):  # two lists beside each other
        return "from" in turns and "value" in turns
    return isinstance(turns, list) and any(
        isinstance(turn, dict) and ("from" in turn or "value" in turn) for turn in turns
    )


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read one record as one sample.

    Parameters
    ----------
    record
        ``{"id"?, "image"?, "conversations": [{"from": "human" | "gpt", "value": str}, ...]}`` and any other keys, which
        are kept. A `task_name` is kept too, and becomes the sample's task name if it is a string. Pictures may stand
        under `images`, `image_path` and the like, as lists, URLs, base64 or bytes, and videos under `video`; speakers
        may be called user and assistant, and a system prompt may lead.
    context
        For the folder and the boxes of files that a list names (InternVL).

    Yields
    ------
    Entry
        The sample. A record without an id gets its key as id; an id that is not a string is written as JSON text.

    Examples
    --------
    >>> record = {"id": 7, "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}
    >>> next(read(record, None)).id
    '7'
    """
    turns, others, problem = read_turns(record.get("conversations"))
    image = record.get("image", "")
    odd = problem or (context is not None and context.listed) or not is_usual(record, image)
    if odd or any("<img>" in text for _, text in turns):
        yield _read_any(record, context)
        return
    extra = {key: value for key, value in record.items() if key not in SCHEMA}
    name = extra.get("task_name")
    identifier = record.get("id")
    if "id" in record and (not isinstance(identifier, str) or is_broken(identifier)):
        extra["id"] = identifier
    if others:
        extra["conversations"] = others
    yield Entry(
        turns,
        spelled(image) if image else None,
        None if identifier is None or identifier == "" else text_id(identifier),
        pack_extra(extra),
        name if isinstance(name, str) and name and not is_broken(name) else None,
    )


def is_usual(record: dict[str, Any], image: object) -> bool:
    """Return whether a record shows nothing, or one picture by its path under `image`: nearly all of them do."""
    if not _OTHER.isdisjoint(record):
        return False
    if not image:
        return "image" not in record and (record.keys() <= PLAIN or not ("image_id" in record or alike(record)))
    return (
        type(image) is str
        and not image.startswith("data:")
        and not is_base64(image)
        and (len(image) > len("none") or image.lower() not in NOTHING)
        and not is_broken(image)
    )


def _read_any(record: dict[str, Any], context: Context) -> Entry:
    """Read a record in a dialect of the format."""
    if "conversatons" in record:
        record = _respelled(record)
    shown, problem = None, None
    if "image_id" in record and not any(key in record for key in KEYS) and not alike(record):
        shown, problem = _by_id(record["image_id"])
    made = read_conversation(record, context, record.get("conversations"), ["conversations"], shown=shown, marks=True)
    return made._replace(problem=problem, raw=dump(record)) if problem and not made.problem else made


def _by_id(image_id: object) -> tuple[list[Medium] | None, str | None]:
    """Return the picture that an id alone names, and a problem where it is not known which: it is never left out."""
    if is_nothing(image_id):
        return None, None
    if isinstance(image_id, str) and re.fullmatch(r"(?:COCO_\w+_)?\d{12}", image_id):
        return [Medium(path=f"{image_id}.jpg")], None
    return None, "L07"


def _respelled(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose turns stand under the right name (LLaVA-Med's files misspell it)."""
    if "conversations" in record:
        return record
    return {("conversations" if key == "conversatons" else key): value for key, value in record.items()}
