"""MiniGPT-4's detailed captions (`filter_cap.json`): one description per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read._entry import Entry, dump, is_broken, pack_extra, read_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context

QUESTION = "Describe this image in detail."  # the first of MiniGPT-4's own instructions for these captions


def confidence(record: dict[str, Any]) -> float:
    """Return 0.4 if a record has an `image_id` and a `caption`, which COCO's captions have too; else 0."""
    return 0.4 if "image_id" in record and "caption" in record else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:  # noqa: ARG001  all readers have the same signature
    """Read one caption as the answer to one fixed question.

    Parameters
    ----------
    record
        ``{"image_id": str | int, "caption": str}``; the image is `<image_id>.jpg`.
    context
        Unused.

    Yields
    ------
    Entry
        The sample, its task name `detail_description`.

    Source: Zhu et al. 2023, MiniGPT-4 (arXiv:2304.10592), section 3.2; `prompts/alignment.txt` of its repository.

    Examples
    --------
    >>> next(read({"image_id": "2", "caption": "A man is fishing."}, None)).turns
    [('human', 'Describe this image in detail.'), ('gpt', 'A man is fishing.')]
    """
    written = [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": record.get("caption")}]
    turns, _, problem = read_turns(written)
    image_id = record.get("image_id")
    named = type(image_id) is int or (isinstance(image_id, str) and image_id != "" and not is_broken(image_id))
    problem = problem or (None if named else "L07")
    extra = pack_extra({key: value for key, value in record.items() if key not in ("image_id", "caption")})
    yield Entry(
        turns,
        f"{image_id}.jpg" if named else None,
        f"minigpt4_{image_id}" if named else None,
        extra,
        "detail_description",
        problem,
        dump(record) if problem else None,
    )
