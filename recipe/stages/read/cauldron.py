"""The Cauldron and FineVision: pictures, and questions with their answers about them, in one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.data.media import RATINGS
from recipe.stages.read._dialects.conversation import read_conversation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Entry

_RATED = tuple(f"{name}_ratings" for name in RATINGS)


def confidence(record: dict[str, Any]) -> float:
    """Return 0.9 if a record has `texts` of user and assistant; else 0."""
    texts = record.get("texts")
    pairs = isinstance(texts, list) and any(
        isinstance(one, dict) and {"user", "assistant"} <= one.keys() for one in texts
    )
    return 0.9 if pairs else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read one record as one sample of as many questions as it has.

    Parameters
    ----------
    record
        ``{"images": [...], "texts": [{"user": str, "assistant": str, "source"?: str}], "source"?: str}``, and
        FineVision's ratings: ``relevance_ratings``, ``image_correspondence_ratings``, ``visual_dependency_ratings`` and
        ``formatting_ratings``, one number a question.
    context
        For the folder of its pictures.

    Yields
    ------
    Entry
        The sample; ratings become the column `ratings`, and the other keys are kept.

    Source: HuggingFaceM4/the_cauldron and HuggingFaceM4/FineVision; nanoVLM, `data/datasets.py`.

    Examples
    --------
    >>> record = {"images": [], "texts": [{"user": "Who?", "assistant": "A jay."}], "relevance_ratings": [5]}
    >>> next(read(record, None)).ratings[0]["relevance"]
    5
    """
    entry = read_conversation(record, context, record.get("texts"), ["texts", *_RATED])
    yield entry._replace(ratings=_ratings(record, len(entry.turns) // 2))


def _ratings(record: dict[str, Any], pairs: int) -> list[dict[str, int | None]] | None:
    """Return the ratings of each question; None if it has none, or not one for each."""
    lists = {name: record.get(key) for name, key in zip(RATINGS, _RATED, strict=True)}
    given = {name: values for name, values in lists.items() if isinstance(values, list) and len(values) == pairs}
    if not given or not pairs:
        return None
    return [
        {name: one if type(one := values[at]) is int else None for name, values in given.items()}
        | {name: None for name in RATINGS if name not in given}
        for at in range(pairs)
    ]
