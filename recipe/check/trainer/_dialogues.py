"""Rules that most trainers share: turns that alternate, texts that are texts, a mark for every picture.

Each yields a code, the number of a turn or None, and a detail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

Found = tuple[str, int | None, str]

MARKS = ("<image>", "<video>", "<audio>")
_ANY_MARK = re.compile(r"<(?:image|video|audio)>", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Speech(NamedTuple):
    """How the turns of a format are written."""

    key: str
    """Of the list of turns."""
    who: str
    """Key of the speaker."""
    said: str
    """Key of the text."""
    question: str
    """The speaker who asks."""
    answer: str
    """The speaker who answers."""
    system: str | None = None
    """The speaker of a first turn before them, if the trainer knows one."""


HUMAN = Speech("conversations", "from", "value", "human", "gpt")
USER = Speech("messages", "role", "content", "user", "assistant", "system")


def shape(record: Any, speech: Speech) -> Iterator[Found]:
    """T03: the record is no object with a list of turns, each of a speaker and a text."""
    if not isinstance(record, dict):
        yield "T03", None, f"expected an object, got {type(record).__name__}"
        return
    turns = record.get(speech.key)
    if not isinstance(turns, list) or not turns:
        got = "none" if speech.key not in record else f"{type(turns).__name__} of no turns"
        yield "T03", None, f"expected a list of turns as '{speech.key}', got {got}"
        return
    for number, turn in enumerate(turns):
        if not isinstance(turn, dict) or not isinstance(turn.get(speech.said), str):
            yield "T03", number, f"expected a text as '{speech.said}'"


def spoken(turns: Sequence[Mapping[str, Any]], speech: Speech) -> Iterator[Found]:
    """T04, T05: speakers are known, and question and answer alternate to the end."""
    names = [turn.get(speech.who) for turn in turns]
    known = [speech.question, speech.answer]
    first = 1 if speech.system is not None and names[:1] == [speech.system] else 0
    strange = [number for number, name in enumerate(names) if number >= first and name not in known]
    for number in strange:
        yield "T04", number, f"expected {' or '.join(known)}, got {names[number]!r:.40}"
    if strange:
        return
    wrong = next((i for i, name in enumerate(names[first:]) if name != known[i % 2]), None)
    if wrong is not None:
        yield "T05", first + wrong, f"expected {known[wrong % 2]}, got {names[first + wrong]}"
    elif (len(names) - first) % 2 or len(names) == first:
        yield "T05", len(names) - 1 if names else None, "expected an answer at the end"


def worded(turns: Sequence[Mapping[str, Any]], speech: Speech) -> Iterator[Found]:
    """S02, T09: no turn is empty, and no text holds half of a character; a question may be a picture alone."""
    for number, turn in enumerate(turns):
        text = turn[speech.said]
        if not text.strip():
            yield "S02", number, ""
        if _SURROGATE.search(text):
            yield "T09", number, ""


def marked(
    turns: Sequence[Mapping[str, Any]], speech: Speech, media: Mapping[str, int], *, everywhere: bool = False
) -> Iterator[Found]:
    """T06, S01: as many marks as there are pictures, videos and sounds, and none where it would be trained as text.

    Parameters
    ----------
    turns, speech
        Of a record.
    media
        Mark to the number of media that it stands for; a mark that is not named is text.
    everywhere
        Whether the trainer replaces marks in answers too.
    """
    asked = [turn for turn in turns if everywhere or turn.get(speech.who) == speech.question]
    for mark, count in media.items():
        got = sum(turn[speech.said].count(mark) for turn in asked)
        if got != count:
            yield "T06", None, f"{got} {mark} for {count}"
    for number, turn in enumerate(turns):
        replaced: Collection[str] = media if everywhere or turn.get(speech.who) == speech.question else ()
        if any(mark not in replaced for mark in _ANY_MARK.findall(turn[speech.said])):
            yield "S01", number, ""


def named(record: Mapping[str, Any], key: str, *, one: bool = True, many: bool = True) -> Iterator[Found]:
    """T07: what stands under a key is the path of a file, or a list of them."""
    if key not in record:
        return
    value = record[key]
    if isinstance(value, list) and many:
        if not all(isinstance(each, str) and each for each in value):
            yield "T07", None, f"expected paths as '{key}'"
    elif not (one and isinstance(value, str) and value):
        yield "T07", None, f"expected a path as '{key}', got {value!r:.40}"


def count_of(record: Mapping[str, Any], key: str) -> int:
    """Return how many files stand under a key."""
    value = record.get(key)
    return len(value) if isinstance(value, list) else int(value is not None)


def listed(record: Any, *keys: str) -> list[str]:
    """Return the paths under some keys of a record."""
    if not isinstance(record, dict):
        return []
    values = [record.get(key) for key in keys]
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [one for one in flat if isinstance(one, str) and one]
