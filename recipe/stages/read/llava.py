"""LLaVA-v1.5's own format, which LLaVAR and most mixes share: one record a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read._entry import Entry, dump, is_broken, pack_extra, read_image, read_turns, text_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context

SCHEMA = ("id", "image", "conversations")


def confidence(record: dict[str, Any]) -> float:
    """Return 0.5 if a record has turns under `conversations`, as in other formats too; else 0."""
    return 0.5 if has_turns(record) else 0


def has_turns(head: dict[str, Any]) -> bool:
    """Return whether a record has a list of turns with `from` or `value`."""
    turns = head.get("conversations")
    return isinstance(turns, list) and any(
        isinstance(turn, dict) and ("from" in turn or "value" in turn) for turn in turns
    )


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:  # noqa: ARG001  all readers have the same signature
    """Read one record as one sample.

    Parameters
    ----------
    record
        ``{"id"?, "image"?, "conversations": [{"from": "human" | "gpt", "value": str}, ...]}`` and any other keys, which
        are kept. A `task_name` is kept too, and becomes the sample's task name if it is a string.
    context
        Unused.

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
    image, image_problem = read_image(record)
    extra = {key: value for key, value in record.items() if key not in SCHEMA}
    name = extra.get("task_name")
    identifier = record.get("id")
    if "id" in record and (not isinstance(identifier, str) or is_broken(identifier)):
        extra["id"] = identifier
    if others:
        extra["conversations"] = others
    problem = problem or image_problem
    yield Entry(
        turns,
        image,
        None if identifier is None or identifier == "" else text_id(identifier),
        pack_extra(extra),
        name if isinstance(name, str) and name and not is_broken(name) else None,
        problem,
        dump(record) if problem else None,
    )
