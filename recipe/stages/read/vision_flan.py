"""Vision-Flan: LLaVA's format, each record with the name of its task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read import llava

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Entry


def confidence(record: dict[str, Any]) -> float:
    """Say how sure it is, 0 to 1, that a record is of this format: a `task_name`, and turns or a prompt."""
    asked = llava.has_turns(record) or ("prompt" in record and "target" in record)
    return 0.9 if "task_name" in record and asked else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read one record as one sample.

    Parameters
    ----------
    record
        As for `llava`, with a `task_name`. Where it is missing or no text, the sample has no task name. Or
        ``{"img_path"?, "prompt": str, "target": str, "task_name"}``, as the examples of its project page.
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
    asked = [{"from": "human", "value": record.get("prompt")}, {"from": "gpt", "value": record.get("target")}]
    rest = {key: value for key, value in record.items() if key not in ("prompt", "target", "img_path")}
    image = {"image": record["img_path"]} if "img_path" in record else {}
    return {**image, **rest, "conversations": asked}
