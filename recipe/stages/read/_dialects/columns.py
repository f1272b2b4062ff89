"""Records whose keys a list of files explains (LLaMA-Factory's `dataset_info.json`), by the names that readers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL = {  # LLaMA-Factory's name of a column -> the key that readers know
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    **{name: name for name in ("history", "system", "tools", "messages", "images", "videos", "audios")},
}
_SPEAKERS = {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}


def by_usual_names(record: dict[str, Any], beside: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a record with the keys that readers know.

    Parameters
    ----------
    record
        One record.
    beside
        ``columns`` and ``tags``, as LLaMA-Factory's `dataset_info.json` has them; None for none.

    Returns
    -------
    dict
        The record itself where nothing is called otherwise.

    Source: LLaMA-Factory, `data/README.md`.

    Examples
    --------
    >>> columns = {"prompt": "ask", "response": "say"}
    >>> by_usual_names({"ask": "Who?", "say": "A jay."}, {"columns": columns})
    {'instruction': 'Who?', 'output': 'A jay.'}
    """
    if not beside:
        return record
    columns, tags = beside.get("columns") or {}, beside.get("tags") or {}
    names = {given: USUAL[name] for name, given in columns.items() if name in USUAL and isinstance(given, str)}
    names = {given: usual for given, usual in names.items() if given != usual and given in record}
    if "conversations" in names:
        names.pop("conversations")  # known by that name too
    renamed = {names.get(key, key): value for key, value in record.items()} if names else record
    key = "messages" if "messages" in renamed else "conversations"
    if tags and isinstance(renamed.get(key), list):
        renamed = renamed | {key: [_turn(turn, tags) for turn in renamed[key]]}
    return renamed


def _turn(turn: Any, tags: Mapping[str, Any]) -> Any:
    """Return a turn as role and content."""
    role, content = tags.get("role_tag", "from"), tags.get("content_tag", "value")
    if not (
        isinstance(role, str) and isinstance(content, str) and isinstance(turn, dict) and {role, content} <= turn.keys()
    ):
        return turn
    speakers = {tags[tag]: name for tag, name in _SPEAKERS.items() if isinstance(tags.get(tag), str)}
    rest = {key: value for key, value in turn.items() if key not in (role, content)}
    who = turn[role]
    return {"role": speakers.get(who, who) if isinstance(who, str) else who, "content": turn[content], **rest}
