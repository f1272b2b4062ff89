"""ms-swift's query, response and history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read._dialects.conversation import read_conversation
from recipe.stages.read.alpaca import history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Entry


def confidence(record: dict[str, Any]) -> float:
    """Return 0.8 if a record has a `query` and a `response`; else 0."""
    return 0.8 if "query" in record and "response" in record else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read one record as one sample.

    Parameters
    ----------
    record
        ``{"query": str, "response": str, "history"?: [[question, answer]], "system"?: str, "images"?: [...]}``; any
        other keys are kept.
    context
        For the folder of its pictures.

    Yields
    ------
    Entry
        The sample, earlier pairs first.

    Source: ms-swift, `docs/source_en/Customization/Custom-dataset.md`.

    Examples
    --------
    >>> record = {"query": "And now?", "response": "A tit.", "history": [["What bird?", "A jay."]]}
    >>> [text for _, text in next(read(record, None)).turns]
    ['What bird?', 'A jay.', 'And now?', 'A tit.']
    """
    turns = [
        *history(record.get("history")),
        {"from": "human", "value": record.get("query")},
        {"from": "gpt", "value": record.get("response")},
    ]
    yield read_conversation(record, context, turns, ["query", "response", "history"], marks=True)
