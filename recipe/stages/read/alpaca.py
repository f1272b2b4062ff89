"""An instruction, its input and its output, as Alpaca, LLaMA-Factory and M3IT write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read._dialects.conversation import read_conversation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recipe.stages.read._entry import Context, Entry

NAMES = {  # of LLaMA-Factory's columns, and the keys that they usually stand for
    "prompt": ("instruction", "prompt"),
    "query": ("input", "inputs"),
    "response": ("output", "outputs", "response"),
    "history": ("history",),
    "system": ("system",),
}


def confidence(record: dict[str, Any]) -> float:
    """Return 0.8 if a record has an `instruction` and an `output` or `outputs`; else 0."""
    return 0.8 if "instruction" in record and ("output" in record or "outputs" in record) else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    r"""Read one record as one sample.

    Parameters
    ----------
    record
        ``{"instruction": str, "input"?: str, "output": str, "history"?: [[question, answer]], "system"?: str}`` and
        pictures; or M3IT's ``inputs``, ``outputs`` and ``image_base64_str``. Any other keys are kept.
    context
        For the folder of its pictures.

    Yields
    ------
    Entry
        The sample: instruction and input are one question, with a line break between them.

    Source: LLaMA-Factory, `data/README.md`, Alpaca format; M3IT (arXiv:2306.04387).

    Examples
    --------
    >>> next(read({"instruction": "Name it.", "input": "What bird?", "output": "A jay."}, None)).turns
    [('human', 'Name it.\nWhat bird?'), ('gpt', 'A jay.')]
    """
    keys = _keys(record)
    asked = [record.get(keys[name]) for name in ("prompt", "query") if name in keys]
    texts = [one for one in asked if one not in (None, "")]
    question = "\n".join(texts) if texts and all(isinstance(one, str) for one in texts) else texts[0] if texts else None
    answer = record.get(keys["response"]) if "response" in keys else None
    answer = answer[0] if isinstance(answer, list) and answer else answer
    turns = [*history(record.get(keys.get("history", ""))), {"from": "human", "value": question}]
    used = [key for name, key in keys.items() if name != "system"]
    yield read_conversation(record, context, [*turns, {"from": "gpt", "value": answer}], used)


def history(given: object) -> list[dict[str, Any]]:
    """Return earlier pairs of a question and its answer as turns."""
    pairs = given if isinstance(given, list) else []
    return [
        {"from": speaker, "value": text}
        for pair in pairs
        for speaker, text in zip(("human", "gpt"), pair if isinstance(pair, list) else (None, None), strict=False)
    ]


def _keys(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what each part is called in a record."""
    found = {name: next((key for key in keys if key in record), None) for name, keys in NAMES.items()}
    return {name: key for name, key in found.items() if key}
