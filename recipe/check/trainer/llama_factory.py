"""What LLaMA-Factory does with a record: it skips turns in another order, and stops where marks and files differ.

Source: ``SharegptDatasetConverter`` in ``src/llamafactory/data/converter.py``, ``get_dataset_list`` in ``parser.py``
and ``_validate_messages`` in ``mm_plugin.py`` beside it, of hiyouga/LLaMA-Factory, commit ff6d4d1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.check.trainer._containers import array_or_lines, beside, decoded
from recipe.check.trainer._dialogues import USER, Speech, count_of, marked, named, shape, spoken, worded
from recipe.check.trainer.findings import finding
from recipe.check.trainer.loaders import other_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from recipe.check.trainer._dialogues import Found
    from recipe.check.trainer.findings import Finding

TAGS = {  # what LLaMA-Factory takes where an entry does not say it
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "system_tag": "system",
}
OURS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
MEDIA = {"images": "<image>", "videos": "<video>", "audios": "<audio>"}


def check(path: Path, *, decode: bool = False) -> tuple[list[Any], list[Finding]]:  # noqa: ARG001  its images are files
    """Return the records of a file, and what is wrong with them and with the entry that describes them."""
    records, found = array_or_lines(path)
    info, broken = beside(path, "dataset_info.json")
    found += broken
    entry = _entry(info, path)
    if info is not None and entry is None:
        found.append(finding("T12", detail=f"expected an entry with the file_name {path.name}"))
    columns, tags = _described(entry)
    speech = Speech(
        str(columns.get("messages", "messages")),
        *(str(tags[tag]) for tag in ("role_tag", "content_tag", "user_tag", "assistant_tag", "system_tag")),
    )
    media = {str(columns[name]): mark for name, mark in MEDIA.items() if name in columns}
    for number, record in decoded(records):
        found += [finding(code, number, turn, detail=detail) for code, turn, detail in _rules(record, speech, media)]
    if (odd := other_id(records)) is not None:
        found.append(finding("T03", odd, detail="expected ids of one type, which Arrow needs"))
    return records, found


def _entry(info: Any, path: Path) -> dict[str, Any] | None:
    """Return the entry of a file."""
    entries = info.values() if isinstance(info, dict) else []
    return next((one for one in entries if isinstance(one, dict) and one.get("file_name") == path.name), None)


def _described(entry: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns and the tags of an entry; without one those that `recipe` writes."""
    if entry is None:
        return {name: name for name in ("messages", *MEDIA)}, TAGS | OURS
    columns, tags = entry.get("columns"), entry.get("tags")
    own = columns if isinstance(columns, dict) else {}
    return {"messages": "conversations"} | own, TAGS | (tags if isinstance(tags, dict) else {})


def _rules(record: Any, speech: Speech, media: Mapping[str, str]) -> Iterator[Found]:
    """Check a record."""
    wrong = list(shape(record, speech))
    yield from wrong
    if wrong:
        return
    turns = record[speech.key]
    yield from spoken(turns, speech)
    yield from worded(turns, speech)
    for key in media:
        if record.get(key) is not None:
            yield from (found for found in named(record, key) if record[key] != [])
    counts = {mark: count_of(record, key) for key, mark in media.items()}
    yield from marked(turns, speech, counts, everywhere=True)


assert USER.answer == OURS["assistant_tag"]
