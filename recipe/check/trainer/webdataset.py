"""What Energon and WebDataset do with a tar: the files up to the first dot of a name are one sample.

Source: ``src/megatron/energon/flavors/webdataset`` of NVIDIA/Megatron-Energon, commit bef8be2; the sample loader in
``tools/data_preprocess/convert_to_webdataset.py`` of EvolvingLMMs-Lab/LLaVA-OneVision-1.5, commit a5eb942.
"""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

from recipe.check.trainer._containers import readable
from recipe.check.trainer._dialogues import USER, marked, shape, spoken, worded
from recipe.check.trainer.findings import finding
from recipe.check.trainer.images import bytes_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from recipe.check.trainer._dialogues import Found
    from recipe.check.trainer.findings import Finding

SPEECH = USER._replace(key="texts")
SHOWN = 80


def check(path: Path, *, decode: bool = False) -> tuple[list[Any], list[Finding]]:
    """Return the id of each record of a tar, and what is wrong with its samples."""
    records: list[Any] = []
    found: list[Finding] = []
    seen: set[str] = set()
    try:
        for key, parts in _samples(readable(path)):
            number = len(records)
            if key in seen:
                found.append(finding("T13", number, detail=f"the files of {key} do not stand together"))
            seen.add(key)
            record = _record(parts)
            records.append({"id": record.get("id")} if isinstance(record, dict) else None)  # its pictures are here
            if record is None:
                found.append(finding("T13", number, detail=f"expected {key}.json, got {', '.join(parts):.{SHOWN}}"))
                continue
            rules = _rules(record, parts, decode=decode)
            found += [finding(code, number, turn, detail=detail) for code, turn, detail in rules]
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        found.append(finding("T01", detail=f"expected a tar, {' '.join(str(error).split()):.{SHOWN}}"))
        return records, found
    return records, found if records else [finding("T02")]


def _samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the key and the files of each sample, as they stand one after the other."""
    current, parts = "", dict[str, bytes]()
    with tarfile.open(path, mode="r:") as tar:
        for member in tar:
            if not member.isfile():
                continue
            folder, _, name = member.name.rpartition("/")
            stem, _, ending = name.partition(".")
            key = f"{folder}/{stem}" if folder else stem
            if key != current and parts:
                yield current, parts
                parts = {}
            current = key
            file = tar.extractfile(member)
            parts[ending] = b"" if file is None else file.read()
    if parts:
        yield current, parts


def _record(parts: Mapping[str, bytes]) -> Any:
    """Return the record of a sample; None if there is none, or it cannot be decoded."""
    try:
        return json.loads(parts["json"].decode("utf-8"))
    except (KeyError, ValueError, RecursionError):
        return None


def _rules(record: Any, parts: Mapping[str, bytes], *, decode: bool) -> Iterator[Found]:
    """Check a sample: a record of texts and names, or a list of turns beside one picture."""
    pictures = [name for name in parts if name != "json"]
    if isinstance(record, list):
        record = {"texts": record, "name": pictures, "media": "image"}
    wrong = list(shape(record, SPEECH))
    yield from wrong
    if wrong:
        return
    names = record.get("name", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name in parts for name in names):
        yield "T13", None, f"expected the files {names!r:.{SHOWN}}, got {', '.join(parts):.{SHOWN}}"
        return
    if sorted(names) != sorted(pictures) or record.get("media") not in ("image", "video", "text"):
        yield "T13", None, f"expected 'name' to list {', '.join(pictures) or 'nothing'}, and the 'media' of them"
    yield from spoken(record["texts"], SPEECH)
    yield from worded(record["texts"], SPEECH)
    mark = "<video>" if record.get("media") == "video" else "<image>"
    yield from marked(record["texts"], SPEECH, {mark: len(names)}, everywhere=True)
    for name in names if mark == "<image>" else []:
        if fault := bytes_fault(parts[name], decode=decode):
            yield "T08", None, f"{name}: {fault}"
