"""MIMIC-IT: an instruction, its answer, and the ids of its pictures, whose bytes lie in a file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.data.media import Medium
from recipe.stages.read._dialects.conversation import read_conversation
from recipe.stages.read._entry import dump

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Entry


def confidence(record: dict[str, Any]) -> float:
    """Return 0.9 if a record has `instruction`, `answer` and `image_ids`; else 0."""
    return 0.9 if {"instruction", "answer", "image_ids"} <= record.keys() else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read one instruction as one sample; the examples in context that it names are kept as ids.

    Parameters
    ----------
    record
        ``{"instruction": str, "answer": str, "image_ids": [str], "rel_ins_ids": [str]}``.
    context
        For the pictures that lie in the file beside it; an id that it does not have is taken as a name.

    Yields
    ------
    Entry
        The sample.

    Source: Li et al. 2023, MIMIC-IT (arXiv:2306.05425); Otter, `docs/mimicit_format.md`.

    Examples
    --------
    >>> record = {"instruction": "What bird?", "answer": "A jay.", "image_ids": ["b1"], "rel_ins_ids": []}
    >>> next(read(record, None)).media[0].path
    'b1'
    """
    ids = record.get("image_ids")
    known = {} if context is None or context.beside is None else context.beside.get("pictures") or {}
    named = [one for one in ids if isinstance(one, str) and one] if isinstance(ids, list) else []
    turns = [{"from": "human", "value": record.get("instruction")}, {"from": "gpt", "value": record.get("answer")}]
    shown = [known.get(one) or Medium(path=one) for one in named]
    made = read_conversation(record, context, turns, ["instruction", "answer", "image_ids"], shown=shown)
    if known and not all(one in known for one in named) and not made.problem:
        made = made._replace(problem="L08", raw=dump(record))
    yield made
