"""Samples as every trainer's writer needs them: turns, pictures in the order of their marks, system prompt, boxes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.writers import lacking
from recipe.data.media import Medium, media_of
from recipe.errors import InputError
from recipe.io.arrow import take
from recipe.stages.write import _pack

if TYPE_CHECKING:
    from collections.abc import Collection

    from recipe.data.boxes import Size
    from recipe.data.pool import Pool
    from recipe.stages.write._pack import Rows

Wanted = tuple[str, Medium]  # the source of a sample, and a picture of it
Pictures = Callable[
    [Sequence[Wanted]], Iterator[bytes | None]
]  # the bytes of each picture; None where nothing has them
Sizes = Callable[[Sequence[Wanted]], Iterator["Size | None"]]  # width and height of each; None where they are not known

COLUMNS = ("id", "key", "source", "image", "media", "turns", "frame", "extra")
SLICE = 1024  # rows that are Python objects at a time
WHAT = {
    "images": "several pictures",
    "video": "a video",
    "videos": "several videos, or a video beside pictures",
    "audio": "a sound",
    "system": "a system prompt",
}


@dataclass(frozen=True)
class Chat:
    """One sample.

    Parameters
    ----------
    id, key, source
        As in the pool.
    turns
        Speaker, ``human`` or ``gpt``, and text, with the marks of `recipe.data.media.MARKS`.
    media
        In the order of their marks.
    frame
        What its boxes refer to, or None.
    system
        The system prompt, or None.
    others
        The other keys of its record.
    """

    id: str
    key: str
    source: str
    turns: list[tuple[str, str]]
    media: list[Medium]
    frame: str | None
    system: str | None
    others: dict[str, Any]

    def of(self, kind: str) -> list[Medium]:
        """Return its media of a kind."""
        return [one for one in self.media if one.kind == kind]

    def names(self, kind: str) -> list[str]:
        """Return what its media of a kind are called."""
        return [one.name for one in self.of(kind)]

    def saying(self, turns: list[tuple[str, str]]) -> Chat:
        """Return the sample with other turns."""
        return replace(self, turns=turns)


def chats(
    pool: Pool, rows: Rows, *, holds: Collection[str], trainer: str, pack: bool = False, max_tokens: int = 1472
) -> Iterator[Chat]:
    """Yield the sample of each row, or of each pack of rows.

    Parameters
    ----------
    pool
        n samples.
    rows
        (k,) rows of the pool, in the order of the records.
    holds
        What the records can hold, see `recipe.config.writers`.
    trainer
        The name of the trainer, for the error.
    pack, max_tokens
        As for `recipe.stages.write._pack.pack`.

    Yields
    ------
    Chat
        A sample.

    Raises
    ------
    InputError
        If a record cannot hold a sample.
    """
    order = np.asarray(rows, dtype=np.int64)
    groups = _pack.pack(pool, order, max_tokens=max_tokens) if pack else None
    if groups is not None:
        order = np.array([row for members in groups for row in members], dtype=np.int64)
    single = _single(pool, order, frozenset(holds), trainer)
    if groups is None:
        yield from single
        return
    for members in groups:
        first, *others = (next(single) for _ in members)
        yield _merged(first, others) if others else first


def _merged(first: Chat, others: list[Chat]) -> Chat:
    """Put the questions of one image into one sample, which shows it once."""
    turns = [(who, said.removeprefix(_pack.MARK)) for chat in others for who, said in chat.turns]
    return first.saying(first.turns + turns)


def _single(
    pool: Pool, order: np.ndarray[Any, np.dtype[np.int64]], holds: frozenset[str], trainer: str
) -> Iterator[Chat]:
    """Yield the sample of each row."""
    for start in range(0, len(order), SLICE):
        for name, key, source, image, media, turns, frame, extra in take(
            pool.rows, COLUMNS, order[start : start + SLICE]
        ).iter_rows():
            others = {} if extra is None else json.loads(extra)
            system = others.pop("system", None)
            said = [(turn["from"], turn["value"]) for turn in turns]
            chat = Chat(name, key, source, said, media_of(image, media), frame, _text(system), others)
            expect(chat, holds, trainer)
            yield chat


def _text(system: object) -> str | None:
    """Return a system prompt that is text and says something."""
    return system if isinstance(system, str) and system else None


def expect(chat: Chat, holds: Collection[str], trainer: str) -> None:
    """Raise if the records of a trainer cannot hold the media of a sample."""
    counts = {f"{kind}s": len(chat.of(kind)) for kind in ("image", "video", "audio")}
    lacks = lacking(holds, images=counts["images"], videos=counts["videos"], audios=counts["audios"], system=False)
    if lacks:
        what = f"expected samples that its records can hold, got {WHAT[lacks]}"
        raise InputError(f"write.{trainer}: {what} in {chat.source}, key {chat.key}; select for this trainer (--to)")


def others_of(chat: Chat, own: Collection[str]) -> dict[str, Any]:
    """Return the other keys of a record that its trainer passes over, without those that mean something to it."""
    hidden = {*own, "id", "conversations"}
    return {name: value for name, value in chat.others.items() if name not in hidden}


def plain_marks(chat: Chat) -> Chat:
    r"""Return a sample whose pictures' marks stand without the line break that LLaVA puts after the first.

    Examples
    --------
    >>> turns = [("human", "<image>\nWho?"), ("gpt", "Me.")]
    >>> chat = Chat("1", "k", "a.json", turns, [Medium(path="a.jpg")], None, None, {})
    >>> plain_marks(chat).turns[0]
    ('human', '<image>Who?')
    """
    if len(chat.media) != 1 or not chat.turns or not chat.turns[0][1].startswith(_pack.MARK):
        return chat
    (who, said), *rest = chat.turns
    return chat.saying([(who, said.replace(_pack.MARK, "<image>", 1)), *rest])


def kinds_of(pool: Pool, rows: Rows) -> set[str]:
    """Return which kinds of media some samples have, beside those that the column `image` alone names."""
    media = take(pool.rows, ("media",), np.asarray(rows, dtype=np.int64))["media"]
    return set(media.drop_nulls().explode().drop_nulls().struct.field("kind").unique().to_list())


def frames_of(pool: Pool, rows: Rows) -> set[str]:
    """Return what the boxes of some samples refer to, as far as it is known."""
    return set(take(pool.rows, ("frame",), np.asarray(rows, dtype=np.int64))["frame"].drop_nulls().unique().to_list())


def bytes_of(some: Sequence[Chat], pictures: Pictures | None) -> Iterator[bytes | None]:
    """Yield the bytes of each picture of some samples, None for all where nothing returns any."""
    wanted = [(chat.source, one) for chat in some for one in chat.of("image")]
    if pictures is None or not wanted:
        return iter([None] * len(wanted))
    return iter(pictures(wanted))
