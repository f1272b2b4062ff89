"""What LLaVA-NeXT's loader does with a record, and how it answers to one that it cannot load: with its neighbour.

Source: ``LazySupervisedDataset``, ``preprocess_multimodal`` and ``preprocess_v1`` in ``llava/train/train.py`` of
LLaVA-VL/LLaVA-NeXT, commit df17966.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from recipe.check.trainer._containers import array_or_lines, decoded, read_bytes
from recipe.check.trainer._dialogues import HUMAN, count_of, listed, marked, named, shape, spoken, worded
from recipe.check.trainer.findings import finding
from recipe.check.trainer.images import outside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recipe.check.trainer._dialogues import Found
    from recipe.check.trainer.findings import Finding


def check(path: Path, *, decode: bool = False) -> tuple[list[Any], list[Finding]]:  # noqa: ARG001  its images are files
    """Return the records of a file, and what is wrong with them and with the YAML beside them."""
    records, found = array_or_lines(path)
    for number, record in decoded(records):
        found += [finding(code, number, turn, detail=detail) for code, turn, detail in _rules(record)]
    return records, [*found, *_listed_in(path)]


def _rules(record: Any) -> Iterator[Found]:
    """Check a record."""
    wrong = list(shape(record, HUMAN))
    yield from wrong
    if wrong:
        return
    turns = record["conversations"]
    yield from spoken(turns, HUMAN)
    yield from worded(turns, HUMAN)
    yield from named(record, "image")
    yield from named(record, "video", many=False)
    if "image" in record and "video" in record:
        yield "T07", None, "a video beside images is passed over"
    shown = count_of(record, "image") if "image" in record else count_of(record, "video")
    yield from marked(turns, HUMAN, {"<image>": shown}, everywhere=True)
    for name in listed(record, "image", "video"):
        if outside(name):
            yield "S03", None, f"{name!r:.80}"


def _listed_in(path: Path) -> Iterator[Finding]:
    """Check that the YAML beside a mix names it whole."""
    for stem in dict.fromkeys((path.stem, path.stem.rpartition(".")[0])):
        file = path.with_name(f"{stem}.yaml")
        if not stem or not file.is_file():
            continue
        try:
            content = yaml.safe_load(read_bytes(file))
        except (yaml.YAMLError, ValueError, RecursionError):
            yield finding("T12", detail=f"{file.name}: expected YAML")
            return
        given = content.get("datasets") if isinstance(content, dict) else None
        if not isinstance(given, list):
            return  # another YAML of that name
        own = [one for one in given if isinstance(one, dict) and str(one.get("json_path")).endswith(path.name)]
        if not own:
            yield finding("T12", detail=f"{file.name}: expected {path.name} as json_path")
        elif str(own[0].get("sampling_strategy", "all")) != "all":
            yield finding("T12", detail=f"{file.name}: takes {own[0]['sampling_strategy']} of {path.name}")
        return
