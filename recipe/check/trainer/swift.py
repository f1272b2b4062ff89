"""What ms-swift does with a record: one with an error is dropped, and a box is put where its place is.

Source: ``RowPreprocessor`` in ``swift/dataset/preprocessor/core.py`` and
``docs/source_en/Customization/Custom-dataset.md`` of modelscope/ms-swift, commit 3602360.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.check.trainer._containers import array_or_lines, decoded
from recipe.check.trainer._dialogues import USER, count_of, marked, named, shape, spoken, worded
from recipe.check.trainer.findings import finding
from recipe.check.trainer.loaders import ARROW_CHUNK, other_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from recipe.check.trainer._dialogues import Found
    from recipe.check.trainer.findings import Finding

MEDIA = {"images": "<image>", "videos": "<video>", "audios": "<audio>"}
POINT, CORNERS = 2, 4  # numbers of a place


def check(path: Path, *, decode: bool = False) -> tuple[list[Any], list[Finding]]:  # noqa: ARG001  its images are files
    """Return the records of a file, and what is wrong with them."""
    records, found = array_or_lines(path)
    for number, record in decoded(records):
        found += [finding(code, number, turn, detail=detail) for code, turn, detail in _rules(record)]
    if (odd := other_id(records)) is not None:
        found.append(finding("T03", odd, detail="expected ids of one type, which Arrow needs"))
    late = _late(records) if path.suffix == ".jsonl" else []
    return records, [*found, *(finding("T14", number, detail=key) for number, key in late)]


def _late(records: list[Any]) -> list[tuple[int, str]]:
    """Return the first record with something in a list that is empty in the first chunk of the file, and which list."""
    read, seen = 0, set[str]()
    for number, record in decoded(records):
        if not isinstance(record, dict):
            continue
        given = record.get("objects")
        objects: dict[str, Any] = given if isinstance(given, dict) else {}
        full = {key for key in MEDIA if record.get(key)}
        full |= {f"objects.{key}" for key in ("ref", "bbox") if objects.get(key)}
        if read > ARROW_CHUNK and full - seen:
            return [(number, key) for key in sorted(full - seen)]
        seen |= full if read <= ARROW_CHUNK else set()
        read += len(json.dumps(record)) + 1
    return []


def _rules(record: Any) -> Iterator[Found]:
    """Check a record."""
    wrong = list(shape(record, USER))
    yield from wrong
    if wrong:
        return
    turns = record["messages"]
    yield from spoken(turns, USER)
    yield from worded(turns, USER)
    for key in MEDIA:
        if record.get(key) is not None:
            yield from (found for found in named(record, key) if record[key] != [])
    yield from marked(turns, USER, {mark: count_of(record, key) for key, mark in MEDIA.items()}, everywhere=True)
    yield from _objects(turns, record.get("objects"))


def _objects(turns: Sequence[Mapping[str, Any]], objects: Any) -> Iterator[Found]:
    """T10, S04: each place in the texts has its object, and boxes lie in their frame."""
    known: Any = {"bbox": []} if objects is None else objects
    refs, boxes = (known.get("ref") or [], known.get("bbox")) if isinstance(known, dict) else (None, None)
    if not isinstance(refs, list) or not isinstance(boxes, list):
        yield "T10", None, "expected objects with lists as 'ref' and 'bbox'"
        return
    for mark, given in (("<ref-object>", refs), ("<bbox>", boxes)):
        places = sum(turn["content"].count(mark) for turn in turns)
        if places != len(given):
            yield "T10", None, f"{places} {mark} for {len(given)}"
    for box in boxes:
        numbers = isinstance(box, list) and all(type(one) in (int, float) for one in box)
        if not numbers or len(box) not in (POINT, CORNERS):
            yield "T10", None, f"expected 2 or 4 numbers, got {box!r:.60}"
        elif min(box) < 0 or (known.get("bbox_type") == "norm1" and max(box) > 1):
            yield "S04", None, f"{box}"
