"""`messages` of role and content, as OpenAI, TRL, ms-swift, LLaMA-Factory, Nemotron, xtuner and axolotl write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read._dialects.conversation import read_conversation
from recipe.stages.read._dialects.dialogue import PAIRS
from recipe.stages.read.llava import has_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Entry

KEYS = (
    "messages",
    "conversations",
    "conversation",
    "dialog",
    "dialogue",
)  # of turns; the first that a record has counts
_PROMPTED = ("prompt", "completion")  # TRL: two lists of turns, or two texts


def confidence(record: dict[str, Any]) -> float:
    """Return 0.9 for `messages`, 0.8 for role and content under another key, or prompt and completion; else 0."""
    if _is_dialogue(record.get("messages")) or has_turns(record, "messages"):
        return 0.9
    if any(_is_dialogue(record.get(key)) for key in KEYS):
        return 0.8
    return 0.8 if all(isinstance(record.get(key), list | str) and record[key] for key in _PROMPTED) else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    r"""Read one record as one sample.

    Parameters
    ----------
    record
        ``{"messages": [{"role": "system" | "user" | "assistant", "content": str | [block]}], "images"?: [...]}``, where
        a block is ``{"type": "text", "text"}`` or names a picture, a video or a sound; or turns under one of `KEYS`,
        each of one side or of both; or ``{"prompt", "completion"}``. Any other keys are kept.
    context
        For the folder of its pictures.

    Yields
    ------
    Entry
        The sample; a system prompt is kept in `extra` as `system`.

    Source: TRL, `docs/source/dataset_formats.md`; LLaMA-Factory, `data/README.md`; ms-swift, `Custom-dataset.md`.

    Examples
    --------
    >>> talk = [{"role": "user", "content": "<image>What bird?"}, {"role": "assistant", "content": "A jay."}]
    >>> next(read({"messages": talk, "images": ["a.jpg"]}, None)).turns
    [('human', '<image>What bird?'), ('gpt', 'A jay.')]
    """
    key = next((key for key in KEYS if record.get(key) is not None), None)
    if key is None and all(name in record for name in _PROMPTED):
        yield read_conversation(record, context, _joined(*(record[name] for name in _PROMPTED)), _PROMPTED, marks=True)
        return
    key = key or KEYS[0]
    given = record.get(key)
    yield read_conversation(record, context, given, _also(record, key), marks=True)


def _also(record: dict[str, Any], key: str) -> tuple[str, ...]:
    """Return the keys that say the same as the turns: PixMo repeats the last pair beside them."""
    texts = isinstance(record.get(key), list) and all(isinstance(one, str) for one in record[key])
    return (key, "question", "answer") if texts else (key,)


def _is_dialogue(given: object) -> bool:
    """Return whether a value is a list of turns with role or both sides, or of texts in turn."""
    if not isinstance(given, list) or not given:
        return False
    if all(isinstance(turn, str) for turn in given):
        return len(given) > 1
    return any(
        isinstance(turn, dict) and ("role" in turn or any(a in turn and b in turn for a, b in PAIRS)) for turn in given
    )


def _joined(prompt: Any, completion: Any) -> list[Any]:
    """Return a prompt and its completion as one list of turns."""
    first = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    last = [{"role": "assistant", "content": completion}] if isinstance(completion, str) else completion
    return [*first, *last] if isinstance(first, list) and isinstance(last, list) else []
