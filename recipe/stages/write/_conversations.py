"""Records in the shape of LLaVA's successors: `image` and `video` as a path or a list, and turns of human and gpt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.write._chats import others_of

if TYPE_CHECKING:
    from recipe.stages.write._chats import Chat

OWN = ("image", "images", "video", "videos", "audio", "audios", "width", "height", "width_list", "height_list")


def record_of(chat: Chat, *, system: bool = False, listed: bool = False) -> dict[str, Any]:
    """Return the record of a sample.

    Parameters
    ----------
    chat
        A sample with pictures and videos.
    system
        Whether a system prompt becomes the first turn; otherwise it stays a key that loaders pass over.
    listed
        Whether one picture is a list too.

    Returns
    -------
    dict
        `id`, `image` and `video` where there are any, `conversations`, and the other keys of its record.
    """
    record: dict[str, Any] = {"id": chat.id}
    for kind in ("image", "video"):
        names = chat.names(kind)
        if names:
            record[kind] = names if len(names) > 1 or listed else names[0]
    turns = [{"from": who, "value": said} for who, said in chat.turns]
    if chat.system and system:
        turns.insert(0, {"from": "system", "value": chat.system})
    record["conversations"] = turns
    kept = others_of(chat, OWN)
    return record | ({"system": chat.system} if chat.system and not system else {}) | kept


def messages_of(chat: Chat) -> list[dict[str, str]]:
    """Return the turns of a sample as messages of system, user and assistant."""
    roles = {"human": "user", "gpt": "assistant"}
    first = [{"role": "system", "content": chat.system}] if chat.system else []
    return [*first, *({"role": roles.get(who, who), "content": said} for who, said in chat.turns)]
