"""A list of turns in any dress -> human and gpt in turn, a system prompt, and the pictures between the words.

Speakers are called human, user, gpt, assistant ... under `from` or `role`; a text stands under `value` or `content`; a
content may be blocks of text and pictures (OpenAI, Anthropic, TRL, Nemotron, xtuner, axolotl); a turn may hold both
sides (ms-swift, Phi, The Cauldron); speakers and texts may stand in two lists (a `Sequence` of Hugging Face).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.data.media import MARKS, Medium
from recipe.stages.read._dialects.media import NoMedium, is_nothing, read_media
from recipe.stages.read._entry import is_broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.stages.read._entry import Context, Turns

SPEAKERS = {
    **dict.fromkeys(("human", "user", "User", "USER", "Human"), "human"),
    **dict.fromkeys(("gpt", "assistant", "Assistant", "ASSISTANT", "GPT", "model", "bot", "chatgpt"), "gpt"),
    **dict.fromkeys(("system", "System", "SYSTEM", "developer"), "system"),
}
PAIRS = (
    ("user", "assistant"),
    ("human", "assistant"),
    ("human", "gpt"),
    ("question", "answer"),
)  # both sides of a turn
_WHO, _SAID = ("from", "role"), ("value", "content")
_IMG = re.compile(r"(?:Picture \d+: ?)?<img>(.*?)</img>\n?", re.DOTALL)  # Qwen-VL: the path stands in the text


class Dialogue(NamedTuple):
    """What a list of turns holds."""

    turns: Turns
    system: str | None
    media: list[Medium]
    others: list[dict[str, Any]] | None
    problem: str | None


def read_dialogue(given: object, context: Context | None, under: str = "conversations") -> Dialogue:
    r"""Read a list of turns.

    Parameters
    ----------
    given
        Any JSON value; pictures from a container may stand in it as `Medium`.
    context
        As for `recipe.stages.read._dialects.media.media_in`.
    under
        The key of the record under which it stands.

    Returns
    -------
    Dialogue
        Its turns, system prompt, the media between its words (each with its mark in the text), one object a turn with
        its unknown keys, and a problem: L05, L07, L08, L09, L10 or L12, with no turns.

    Examples
    --------
    >>> block = [{"type": "image", "path": "a.jpg"}, {"type": "text", "text": "Who?"}]
    >>> found = read_dialogue([{"role": "user", "content": block}, {"role": "assistant", "content": "A jay."}], None)
    >>> found.turns, found.media[0].path
    ([('human', '<image>\nWho?'), ('gpt', 'A jay.')], 'a.jpg')
    """
    turns: Turns = []
    system: list[str] = []
    media: list[Medium] = []
    others: list[dict[str, Any]] = []
    try:
        for number, turn in enumerate(_turns_of(given, under)):
            for speaker, key, content, rest in _sides(turn):
                text, shown = _content(content, context, f"{under}/{number}/{key}")
                text, inside = _paths_in(text, context) if "<img>" in text else (text, [])
                _check(text, late=speaker == "system" and bool(turns))
                media += [*shown, *inside]
                if speaker == "system":
                    system.append(text)
                    continue
                turns.append((speaker, text))
                others.append(rest)
                if speaker == "human" and "images" in turn:
                    media += _of_turn(turn, context, f"{under}/{number}/images")
    except NoMedium as problem:
        return Dialogue([], None, [], None, str(problem))
    prompt = "\n".join(one for one in system if one.strip()) or None
    return Dialogue(turns, prompt, media, others if any(others) else None, None if turns else "L09")


def _check(text: str, *, late: bool) -> None:
    """Raise if a text cannot be written, or is a system prompt after the first turn."""
    if is_broken(text) or late:
        raise NoMedium("L10" if late else "L12")


def _turns_of(given: object, under: str) -> list[Any]:
    """Return the turns as a list; two lists beside each other are joined."""
    if isinstance(given, dict):
        lists = [next((given[key] for key in keys if key in given), None) for keys in (_WHO, _SAID)]
        if not all(isinstance(one, list) for one in lists) or len(lists[0]) != len(lists[1]):  # type: ignore[arg-type]
            raise NoMedium("L05")
        return [{"from": who, "value": said} for who, said in zip(*lists, strict=True)]
    if not isinstance(given, list):
        raise NoMedium("L05")
    if not given:
        raise NoMedium("L09")
    if under == "messages" and all(isinstance(one, str) for one in given):  # PixMo: texts in turn
        return [{"from": ("human", "gpt")[number % 2], "value": one} for number, one in enumerate(given)]
    return given


def _sides(turn: object) -> list[tuple[str, str, Any, dict[str, Any]]]:
    """Return the speaker, the key of what is said, that itself, and unknown keys of a turn, or of both its sides."""
    if not isinstance(turn, dict):
        raise NoMedium("L05")
    who = next((key for key in _WHO if key in turn), None)
    if who is None:
        pair = next((pair for pair in PAIRS if pair[0] in turn and pair[1] in turn), None)
        if pair is None:
            raise NoMedium("L10" if any(key in turn for key in _SAID) else "L05")
        rest = {key: value for key, value in turn.items() if key not in (*pair, "images")}
        return [("human", pair[0], turn[pair[0]], rest), ("gpt", pair[1], turn[pair[1]], {})]
    speaker = turn[who]
    if not isinstance(speaker, str) or speaker not in SPEAKERS:
        raise NoMedium("L10")
    said = next((key for key in _SAID if key in turn), None)
    if said is None:
        raise NoMedium("L05")
    rest = {key: value for key, value in turn.items() if key not in (who, said, "images") and value is not None}
    return [(SPEAKERS[speaker], said, turn[said], rest)]


def _content(content: Any, context: Context | None, place: str) -> tuple[str, list[Medium]]:
    """Return a text, with a mark in the place of each block that is no text, and what the blocks show."""
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list) or not any(isinstance(block, dict) for block in content):
        raise NoMedium("L05")
    text, media, marks = "", list[Medium](), 0
    for at, block in enumerate(content):
        if isinstance(block, str):
            text = _joined(text, block)
            continue
        if not isinstance(block, dict):
            raise NoMedium("L05")
        kind = _kind_of(block)
        if kind == "text":
            said = block.get("text", block.get("content"))
            if not isinstance(said, str):
                raise NoMedium("L05")
            text = _joined(text, said)
            continue
        media += _of_block(block, kind, context, f"{place}/{at}")
        marks += 1
        text += MARKS[kind]
    if marks and "<IMG_CONTEXT>" in text:  # xtuner: a block names the picture, and the text holds its place
        text = text.replace("<image>", "").replace("<IMG_CONTEXT>", "<image>")
    return text, media


def _joined(text: str, more: str) -> str:
    """Append a text; between a mark and words that follow it there is white space."""
    glued = text.endswith(tuple(MARKS.values())) and more[:1].strip() != "" and not more.startswith("<IMG_CONTEXT>")
    return f"{text}\n{more}" if glued else text + more


def _kind_of(block: Mapping[str, Any]) -> str:
    """Return what a block is: text, or a picture, a video, a sound."""
    kind = block.get("type")
    if kind is None:
        kind = next((name for name in ("text", "image", "image_url", "video", "audio") if name in block), "")
    if kind in ("text", "input_text", "output_text"):
        return "text"
    found = next((name for name in MARKS if isinstance(kind, str) and name in kind), None)
    if found is None:
        raise NoMedium("L05")
    return found


def _of_block(block: Mapping[str, Any], kind: str, context: Context | None, place: str) -> list[Medium]:
    """Return what a block names; nothing if it only holds the place of a picture of the record."""
    size = {key: block[key] for key in ("metadata", "width", "height", "image_wh") if key in block}
    for key in (f"{kind}_url", kind, "url", "path", "base64", "source", "data", "file", f"{kind}_path"):
        value = block.get(key)
        if not is_nothing(value):
            given = {**size, **value} if isinstance(value, dict) else value
            given = {**size, "path": value} if size and isinstance(value, str) and len(value) < 1000 else given  # noqa: PLR2004  no base64
            return list(read_media(given, kind, context, f"{place}/{key}"))  # type: ignore[arg-type]
    return []


def _of_turn(turn: Mapping[str, Any], context: Context | None, place: str) -> list[Medium]:
    """Return the pictures that a turn lists (Phi)."""
    return [] if is_nothing(turn["images"]) else list(read_media(turn["images"], "image", context, place))


def _paths_in(text: str, context: Context | None) -> tuple[str, list[Medium]]:
    """Put a mark in the place of each path that stands in a text between <img> and </img>."""
    paths = [match[1].strip() for match in _IMG.finditer(text)]
    if not all(paths):
        raise NoMedium("L07")
    return _IMG.sub("<image>\n", text), list(read_media(paths, "image", context, "value"))
