"""Vision-Flan: LLaVA's format, each record with the name of its task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read import llava

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Entry


def confidence(record: dict[str, Any]) -> float:
    """Return 0.9 if a record has a `task_name`, and turns or a prompt and its target; else 0."""
    has_text = llava.has_turns(record) or ("prompt" in record and "target" in record)
    return 0.9 if "task_name" in record and has_text else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read one record as one sample.

    Parameters
    ----------
    record
        As for `llava`, with a `task_name`; if that is missing or not a string, the sample has no task name. Or
        ``{"img_path"?, "prompt": str, "target": str, "task_name"}``, as in the examples of its project page.
    context
        As for `llava`.

    Yields
    ------
    Entry
        The sample.

    Source: Xu et al. 2024, Vision-Flan (arXiv:2402.11690); its `annotation_191-task_1k.json`.

    Examples
    --------
    >>> turns = [{"from": "human", "value": "What bird is it?"}, {"from": "gpt", "value": "A jay."}]
    >>> next(read({"id": "a", "conversations": turns, "task_name": "birds+species"}, None)).task_name
    'birds+species'
    """
    return llava.read(record if "conversations" in record else _with_turns(record), context)


def _with_turns(record: dict[str, Any]) -> dict[str, Any]:
    """Write a prompt and its target as two turns."""
    turns = [{"from": "human", "value": record.get("prompt")}, {"from": "gpt", "value": record.get("target")}]
    rest = {key: value for key, value in record.items() if key not in ("prompt", "target", "img_path")}
    image = {"image": record["img_path"]} if "img_path" in record else {}
    return {**image, **rest, "conversations": turns}
