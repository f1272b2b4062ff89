"""What InternVL's loader does with a record: it draws another one at random in the place of one that it cannot load.

Source: ``LazySupervisedDataset`` and ``build_datasets`` in ``internvl_chat/internvl/train/internvl_chat_finetune.py``
and ``preprocess_internvl2_5`` in ``dataset.py`` beside it, of OpenGVLab/InternVL, commit 2410d1d.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recipe.check.trainer._containers import beside, decoded, lines
from recipe.check.trainer._dialogues import HUMAN, count_of, listed, marked, named, shape, spoken, worded
from recipe.check.trainer.findings import finding
from recipe.check.trainer.images import outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from recipe.check.trainer._dialogues import Found
    from recipe.check.trainer.findings import Finding

SPEECH = HUMAN._replace(system="system")
KEYS = ("root", "annotation", "data_augment", "repeat_time")
MOST = 1000  # of a coordinate
_BOX = re.compile(r"<box>(.*?)</box>", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def check(path: Path, *, decode: bool = False) -> tuple[list[Any], list[Finding]]:  # noqa: ARG001  its images are files
    """Return the records of a file, and what is wrong with them and with the meta file beside them."""
    if not path.name.endswith("jsonl"):
        return [], [finding("T01", detail=f"expected a file ending in jsonl, got {path.name}")]
    records, found = lines(path)
    for number, record in decoded(records):
        found += [finding(code, number, turn, detail=detail) for code, turn, detail in _rules(record)]
    meta, broken = beside(path, "meta.json")
    return records, [*found, *broken, *([] if meta is None else _listed_in(meta, path, len(records)))]


def _rules(record: Any) -> Iterator[Found]:
    """Check a record."""
    wrong = list(shape(record, SPEECH))
    yield from wrong
    if wrong:
        return
    turns = record["conversations"]
    yield from spoken(turns, SPEECH)
    yield from worded(turns, SPEECH)
    if record.get("video"):
        yield "T07", None, "a video is read through a client of its authors' cluster only"
    if "image" in record and record["image"] not in ("", []):
        yield from named(record, "image")
    count = count_of(record, "image") if record.get("image") else 0
    asked = turns[0]["value"]
    added = isinstance(record.get("image"), str) and count == 1 and "<image>" not in asked
    if added and turns[0].get("from") == "human" and not any("<image>" in turn["value"] for turn in turns):
        count = 0  # the loader puts the mark in front
    yield from marked(turns, SPEECH, {"<image>": count})
    yield from _sizes(record)
    for name in listed(record, "image"):
        if outside(name) and not name.startswith("s3://"):
            yield "S03", None, f"{name!r:.80}"
    for number, turn in enumerate(turns):
        numbers = [float(one) for box in _BOX.findall(turn["value"]) for one in _NUMBER.findall(box)]
        if any(not 0 <= one <= MOST for one in numbers):
            yield "S04", number, f"expected 0 to {MOST}"


def _sizes(record: Mapping[str, Any]) -> Iterator[Found]:
    """T03: where sizes are stated, they are pixels, one for each image."""
    for one, many in (("width", "width_list"), ("height", "height_list")):
        given = record.get(many, [record[one]] if one in record else [])
        if not isinstance(given, list) or not all(type(size) is int and size > 0 for size in given):
            yield "T03", None, f"expected pixels as '{one}'"
        elif given and len(given) != count_of(record, "image"):
            yield "T03", None, f"expected a {one} for each image"


def _listed_in(meta: Any, path: Path, count: int) -> Iterator[Finding]:
    """Check that the meta file names a file with all that the loader asks for."""
    entries = meta.values() if isinstance(meta, dict) else []
    own = [one for one in entries if isinstance(one, dict) and str(one.get("annotation")).endswith(path.name)]
    if not own:
        yield finding("T12", detail=f"expected an entry with the annotation {path.name}")
        return
    for key in KEYS:
        if key not in own[0]:
            yield finding("T12", detail=f"expected the key '{key}' for {path.name}")
    if own[0].get("length", count) != count:
        yield finding("T12", detail=f"expected a length of {count}, got {own[0]['length']!r:.40}")
