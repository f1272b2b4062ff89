"""Marks in texts and the pictures, videos and sounds that they stand for: as many of one as of the other."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from recipe.data.media import MARKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recipe.data.media import Medium
    from recipe.stages.read._entry import Turns

_NUMBERED = re.compile(r"<\|?image_(\d{1,9})\|?>")  # Phi's and MiniCPM-V's
_ANY = re.compile("|".join(map(re.escape, MARKS.values())))


def numbered(turns: Turns, media: list[Medium]) -> tuple[Turns, list[Medium]]:
    r"""Write ``<image>`` in the place of marks that number all pictures, and put these in the order of the marks.

    Examples
    --------
    >>> from recipe.data.media import Medium
    >>> pair = [Medium(path="a.jpg"), Medium(path="b.jpg")]
    >>> turns, media = numbered([("human", "<image_01>\nand <image_00>")], pair)
    >>> turns, [one.path for one in media]
    ([('human', '<image>\nand <image>')], ['b.jpg', 'a.jpg'])
    """
    found = [int(number) for who, text in turns if who == "human" for number in _NUMBERED.findall(text)]
    pictures = [one for one in media if one.kind == "image"]
    start = min(found, default=0)
    if not pictures or len(pictures) != len(media) or start > 1:
        return turns, media
    if sorted(found) != list(range(start, start + len(pictures))):
        return turns, media
    texts = [(who, _NUMBERED.sub("<image>", text) if who == "human" else text) for who, text in turns]
    return texts, [pictures[number - start] for number in found]


def is_by_marks(value: object) -> bool:
    """Return whether an object names each of its pictures by a numbered mark, as MiniCPM-V's records do.

    Examples
    --------
    >>> is_by_marks({"<image_00>": "a.jpg"}), is_by_marks({"path": "a.jpg"}), is_by_marks({})
    (True, False, False)
    """
    return isinstance(value, dict) and bool(value) and all(_NUMBERED.fullmatch(str(key)) for key in value)


def by_marks(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return what such an object holds in the order of the numbers.

    Examples
    --------
    >>> by_marks({"<image_10>": "b.jpg", "<image_9>": "a.jpg"})
    [('<image_9>', 'a.jpg'), ('<image_10>', 'b.jpg')]
    """
    return sorted(value.items(), key=lambda item: int(item[0].strip("<|image_>")))


def marked(turns: Turns, media: Sequence[Medium]) -> tuple[Turns, str | None, bool]:
    r"""Return turns that hold a mark for each medium, the problem if they hold others, and whether marks were added.

    A sample with one picture is left to `recipe.stages.read._entry.in_front`. Where no mark stands for any medium of a
    kind, all are put in front of the first question, in order; videos may be marked as pictures (LLaVA-Video).

    Examples
    --------
    >>> from recipe.data.media import Medium
    >>> marked([("human", "Which falls?"), ("gpt", "A.")], [Medium("video", "a.mp4"), Medium("video", "b.mp4")])[0][0]
    ('human', '<video>\n<video>\nWhich falls?')
    """
    kinds = Counter(one.kind for one in media)
    if "video" in kinds and "image" not in kinds and _count(turns, "image") == kinds["video"]:
        turns = [(who, text.replace(MARKS["image"], MARKS["video"]) if who == "human" else text) for who, text in turns]
    single = kinds["image"] == 1 and len(media) == 1
    missing: list[str] = []
    for kind, count in kinds.items():
        found = _count(turns, kind)
        if found == 0:
            missing += [MARKS[kind]] * count
        elif found != count and not single:
            return turns, f"marks:{count} of {kind}, {found} in the text", False
    if not missing:
        return turns, None, False
    first = next((at for at, (who, _) in enumerate(turns) if who == "human"), None)
    if first is None:
        return turns, None, False
    given = [*turns]
    given[first] = ("human", "\n".join([*missing, turns[first][1]]))
    return given, None, True


def has_marks(turns: Turns) -> bool:
    """Return whether a question holds a mark of any kind."""
    return any(who == "human" and _ANY.search(text) for who, text in turns)


def _count(turns: Turns, kind: str) -> int:
    """Return how many marks of a kind the questions hold."""
    return sum(text.count(MARKS[kind]) for who, text in turns if who == "human")
