"""Convert rows of a pool to LLaVA records, and records to lines."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, get_args

import numpy as np

from recipe.config.ranges import Ids
from recipe.data.frames import has_boxes
from recipe.data.media import media_of
from recipe.errors import ConfigError
from recipe.io.arrow import take
from recipe.stages.write import _pack
from recipe.stages.write._boxes import in_frame, say_left
from recipe.stages.write._chats import Chat, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Sizes
    from recipe.stages.write._pack import Record, Rows


class Originals(Protocol):
    """The source of lines of records that are written as they were read."""

    def lines(self, rows: NDArray[np.int64]) -> Iterator[str | None]:
        """Return the line of each row, None if it must be made from the pool."""
        ...


LLAVA = ("square", "unit")  # LLaVA v1.5 shows a picture padded to a square; boxes that refer to the picture stay so
SLICE = 8192  # rows that are converted to Python objects at a time


def records(pool: Pool, rows: Rows, *, ids: Ids = "string", sizes: Sizes | None = None) -> Iterator[Record]:
    """Yield the LLaVA record of each row.

    Parameters
    ----------
    pool
        n samples.
    rows
        (k,) rows of the pool, in the order of the records.
    ids
        ``"string"`` writes every id as a string, as Arrow and Hugging Face loaders need it; ``"given"`` writes it as it
        was read.
    sizes
        Looks up the sizes of pictures, for boxes whose frame depends on it.

    Yields
    ------
    dict
        `id`, `image` (no key for text only), `conversations`, and every unknown key that the sample was read with.

    Raises
    ------
    ConfigError
        If `ids` is neither of these.
    InputError
        If a sample has several pictures, or a video.
    """
    if ids not in get_args(Ids):
        raise ConfigError(f"write: expected one of {', '.join(get_args(Ids))}, got ids={ids!r}")
    columns = ("id", "image", "turns", "extra", "media", "frame", "source", "key")
    order = np.asarray(rows, dtype=np.int64)
    left = 0
    for start in range(0, len(order), SLICE):
        for name, image, turns, extra, media, frame, *origin in take(
            pool.rows, columns, order[start : start + SLICE]
        ).iter_rows():
            shown = {} if image is None else {"image": image}
            said = (
                turns
                if media is None and frame in (None, *LLAVA)
                else _fitting(image, turns, media, frame, origin=origin, sizes=sizes)
            )
            left += said is turns and frame not in {None, *LLAVA} and any(has_boxes(turn["value"]) for turn in turns)
            record = {"id": name, **shown, "conversations": said}
            yield record if extra is None else _with_extra(record, json.loads(extra), ids)
    say_left(left)


def _fitting(
    image: str | None,
    turns: list[dict[str, str]],
    media: Any,
    frame: str | None,
    *,
    origin: list[str],
    sizes: Sizes | None,
) -> list[dict[str, str]]:
    """Return the turns of a sample with its boxes in a frame of LLaVA's; raise if its record cannot hold the sample."""
    said = [(turn["from"], turn["value"]) for turn in turns]
    source, key = origin
    chat = Chat("", key, source, said, media_of(image, media), frame, None, {})
    expect(chat, (), "llava")
    found = in_frame(chat, LLAVA, sizes)
    return turns if found.turns == said else [{"from": who, "value": value} for who, value in found.turns]


def _with_extra(record: Record, extra: dict[str, Any], ids: Ids) -> Record:
    """Restore an id that was not a string, the unknown keys of the turns, and those of the record."""
    given = extra.pop("id", record["id"])
    if ids == "given":
        record["id"] = given
    keys = extra.pop("conversations", [{}] * len(record["conversations"]))
    for turn, more in zip(record["conversations"], keys, strict=True):
        turn.update(more)
    return record | extra


def lines(
    pool: Pool,
    rows: Rows,
    *,
    ids: Ids,
    pack: bool,
    max_tokens: int,
    originals: Originals | None = None,
    sizes: Sizes | None = None,
) -> Iterator[str]:
    """Yield the record of each row, or of each pack of rows, as one line of ASCII JSON without a line end.

    Parameters
    ----------
    pool, rows, ids
        As for `records`.
    pack
        Merge single questions about one image into one record, see `recipe.stages.write._pack.pack`.
    max_tokens
        Maximum tokens of a merged record.
    originals
        The lines of records that are written as they were read, if nothing is packed.
    sizes
        As for `records`.

    Yields
    ------
    str
        One record.
    """
    if originals is not None and not pack:
        yield from _given(pool, rows, ids, originals, sizes)
        return
    if not pack:
        yield from map(json.dumps, records(pool, rows, ids=ids, sizes=sizes))
        return
    packs = _pack.pack(pool, rows, max_tokens=max_tokens)
    single = records(pool, [row for members in packs for row in members], ids=ids, sizes=sizes)
    for members in packs:
        yield json.dumps(_pack.merge(list(islice(single, len(members)))))


def _given(pool: Pool, rows: Rows, ids: Ids, originals: Originals, sizes: Sizes | None) -> Iterator[str]:
    """Copy the line of each row from its file, and make those that cannot be copied."""
    order = np.asarray(rows, dtype=np.int64)
    for start in range(0, len(order), SLICE):
        chunk = order[start : start + SLICE]
        copied = list(originals.lines(chunk))
        made = records(pool, chunk[[line is None for line in copied]], ids=ids, sizes=sizes)
        yield from (json.dumps(next(made)) if line is None else line for line in copied)
