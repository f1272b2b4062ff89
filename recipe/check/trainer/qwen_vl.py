"""What Qwen-VL's finetuning does with a record: it stops where marks and files differ.

It takes every speaker but human for the assistant.

Source: ``_build_messages`` and ``LazySupervisedDataset`` in ``qwen-vl-finetune/qwenvl/data/data_processor.py`` of
QwenLM/Qwen3-VL, commit 9658872.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.check.trainer._containers import array_or_lines, decoded
from recipe.check.trainer._dialogues import HUMAN, count_of, marked, named, shape, spoken, worded
from recipe.check.trainer.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recipe.check.trainer._dialogues import Found
    from recipe.check.trainer.findings import Finding


def check(path: Path, *, decode: bool = False) -> tuple[list[Any], list[Finding]]:  # noqa: ARG001  its images are files
    """Return the records of a file, those of packed lists one by one, and what is wrong with them."""
    entries, found = array_or_lines(path)
    records: list[Any] = []
    for number, entry in decoded(entries):
        packed = entry if isinstance(entry, list) else [entry]
        if not packed:
            found.append(finding("T03", number, detail="expected a list of records, got an empty one"))
        for record in packed:
            found += [finding(code, number, turn, detail=detail) for code, turn, detail in _rules(record)]
        records += packed
    return records, found


def _rules(record: Any) -> Iterator[Found]:
    """Check a record."""
    wrong = list(shape(record, HUMAN))
    yield from wrong
    if wrong:
        return
    turns = record["conversations"]
    yield from spoken(turns, HUMAN)
    yield from worded(turns, HUMAN)
    for key in ("image", "video"):
        if record.get(key):  # the loader takes null, "" and [] for none
            yield from named(record, key)
    counts = {f"<{key}>": count_of(record, key) if record.get(key) else 0 for key in ("image", "video")}
    yield from marked(turns, HUMAN, counts)
