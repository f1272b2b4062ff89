"""What TRL and Hugging Face datasets do with a table: they count the places for pictures, and open them by the schema.

Source: ``prepare_multimodal_messages`` in ``trl/data_utils.py`` and ``DataCollatorForVisionLanguageModeling`` in
``trl/trainer/sft_trainer.py`` of huggingface/trl, commit f2cd577.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.check.trainer._containers import readable
from recipe.check.trainer._dialogues import USER, spoken, worded
from recipe.check.trainer.findings import finding
from recipe.check.trainer.images import bytes_fault
from recipe.io.panics import unprinted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from recipe.check.trainer._dialogues import Found
    from recipe.check.trainer.findings import Finding

BATCH = 256  # rows that are Python objects at a time
SHOWN = 80
TURNS, PICTURES = ("messages", "prompt", "completion"), ("images", "image")  # columns


def check(path: Path, *, decode: bool = False) -> tuple[list[Any], list[Finding]]:
    """Return the id of each row and the paths of its pictures that are opened, and what is wrong with the table."""
    import pyarrow as pa  # noqa: PLC0415  it takes a while to import
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    try:
        with unprinted():
            table = pq.ParquetFile(readable(path))
            found = list(_schema(table.schema_arrow))
            if found and any(one.detail.startswith("expected the column") for one in found):
                return [], found
            records: list[Any] = []
            names = [name for name in ("id", *TURNS, *PICTURES) if name in table.schema_arrow.names]
            for batch in table.iter_batches(BATCH, columns=names):
                for given in batch.to_pylist():
                    row = _row(given)
                    rules = _rules(row, decode=decode)
                    found += [finding(code, len(records), turn, detail=detail) for code, turn, detail in rules]
                    records.append({"id": row.get("id"), "images": _opened(row)})
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        return [], [finding("T01", detail=f"expected Parquet, {' '.join(str(error).split()):.{SHOWN}}")]
    return records, found if records else [*found, finding("T02")]


def _schema(schema: Any) -> Iterator[Finding]:
    """T11: the columns are there, and the pictures are described as Hugging Face's Image."""
    shown = next((name for name in PICTURES if name in schema.names), None)
    talk = "messages" in schema.names or {"prompt", "completion"} <= set(schema.names)
    if not talk or shown is None:
        missing = "images" if talk else "messages"
        yield finding("T11", detail=f"expected the column {missing}, got {', '.join(schema.names):.{SHOWN}}")
        return
    described = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(described)["info"]["features"]
        known = json.dumps(features[shown])
    except (ValueError, KeyError, TypeError):
        known = ""
    if '"Image"' not in known:
        yield finding("T11", detail="images are not described as Hugging Face's Image, and would stay bytes")


def _row(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return id, messages and images of a row, which may have prompt and completion, and one image."""
    halves = [half for name in ("prompt", "completion") if isinstance(half := given.get(name), list)]
    messages = given.get("messages", [turn for half in halves for turn in half])
    images = given["images"] if "images" in given else [] if given.get("image") is None else [given["image"]]
    return {
        "id": given.get("id"),
        "messages": messages if isinstance(messages, list) else [],
        "images": images if isinstance(images, list | None) else [images],
    }


def _opened(row: Mapping[str, Any]) -> list[str]:
    """Return the paths of the pictures of a row that have no bytes."""
    given = [one for one in row["images"] or [] if isinstance(one, dict)]
    return [one["path"] for one in given if one.get("bytes") is None and one.get("path")]


def _rules(row: Mapping[str, Any], *, decode: bool) -> Iterator[Found]:
    """Check a row."""
    messages = row["messages"]
    if not messages:
        yield "T03", None, "expected messages, got none"
        return
    if row["images"] is None:
        yield "T07", None, "expected a list of images, got null"
    plain, places, blocks = [], 0, True
    for number, message in enumerate(messages):
        content = message.get("content") if isinstance(message, dict) else None
        blocks &= isinstance(content, list)
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not isinstance(parts, list) or not all(_is_block(part) for part in parts):
            yield "T03", number, "expected blocks of text and image as 'content'"
            return
        shown = sum(part["type"] == "image" for part in parts)
        places += shown
        text = "".join(part["text"] for part in parts if part["type"] == "text")
        plain.append({"role": message.get("role"), "content": text or "(image)" * shown})
        if "<image>" in text:
            yield "S01", number, ""
    yield from spoken(plain, USER)
    yield from worded(plain, USER)
    images = row["images"] or []
    if (blocks or places) and places != len(images):
        yield "T06", None, f"{places} places for {len(images)}"
    yield from _pictures(images, decode=decode)


def _is_block(part: Any) -> bool:
    """Return whether a block is an image, or a text that is one."""
    if not isinstance(part, dict):
        return False
    return part.get("type") == "image" or (part.get("type") == "text" and isinstance(part.get("text"), str))


def _pictures(images: list[Any], *, decode: bool) -> Iterator[Found]:
    """T07, T08: each picture has bytes or a path, and the bytes are those of one."""
    for one in images:
        if not isinstance(one, dict) or not (one.get("bytes") or one.get("path")):
            yield "T07", None, "expected bytes or a path"
        elif one.get("bytes") and (fault := bytes_fault(one["bytes"], decode=decode)):
            yield "T08", None, f"{one.get('path') or 'bytes'!r:.60}: {fault}"
