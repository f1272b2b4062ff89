"""Collect entries in columns: flat lists while a file is read, then one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.media import media_column, plain
from recipe.data.pool import SCHEMA, TURN
from recipe.data.tokens import measured
from recipe.stages.read._dialects.grounding import frame_of
from recipe.stages.read._entry import digest, first_image, identity_of, in_front, is_harmless, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from numpy.typing import NDArray

    from recipe.data.media import Frame, Medium
    from recipe.stages.read._entry import Entry

BOXES = ("bbox_2d", "box>", "<|box_start|>")  # in a text that may have boxes
_ORDER = ("key", "id", "source", "extra", "task_name", "spelling", "record", "order")
_NAMES = ("key", "id", "image", "extra", "task_name", "problem", "spelling", "frame")


class Rows:
    """The entries of one file, column by column.

    Parameters
    ----------
    source
        What the pool calls the file.
    image_token
        ``"front"`` puts `<image>` at the start of the first question, ``"given"`` leaves it where it is harmless.
    frame
        What boxes refer to where nothing else says so.
    """

    def __init__(self, source: str, *, image_token: Literal["front", "given"], frame: Frame | None = None) -> None:
        self.source, self.given = source, frame
        self.leaves_token = image_token == "given"  # noqa: S105  no password
        self.entries: list[tuple[str | None, ...]] = []
        self.media: list[tuple[Medium, ...] | None] = []
        self.ratings: list[list[dict[str, int | None]] | None] = []
        self.noted: list[tuple[str, ...] | None] = []
        self.ends: list[int] = []
        self.speakers: list[str] = []
        self.values: list[str] = []

    def add(self, entry: Entry) -> None:
        """Append one entry, valid or not."""
        turns, spelling, media = entry.turns, None, entry.media
        image = entry.image if media is None else first_image(media)
        if image is not None and (media is None or len(media) == 1):
            turns = in_front(turns)
            if self.leaves_token and turns is not entry.turns and is_harmless(entry.turns):
                turns, spelling = entry.turns, key_of(None, entry.turns)
        if entry.raw is not None:
            key = digest(entry.raw)
        else:
            key = key_of(image if media is None else identity_of(media), turns)
        # spelling distinguishes samples that differ only in the place of <image>, so that their order is deterministic
        self.entries.append(
            (key, entry.id or key, image, entry.extra, entry.task_name, entry.problem, spelling, entry.frame)
        )
        self.media.append(None if media is None or plain(media) else media)
        self.ratings.append(entry.ratings)
        self.noted.append(entry.noted or None)
        self.speakers += [speaker for speaker, _ in turns]
        self.values += [value for _, value in turns]
        self.ends.append(len(self.values))

    def frame(self) -> pl.DataFrame:
        """Return the columns as a table in the order of the file, `spelling` among them."""
        table = pl.DataFrame(self.entries, schema=dict.fromkeys(_NAMES, pl.String()), orient="row")
        return table.with_row_index("record").with_columns(
            pl.lit(self.source).alias("source"),
            media_column(self.media),
            _seldom("ratings", self.ratings),
            _seldom("noted", self.noted),
            *self._turns().get_columns(),
            self._frames(table["frame"]),
        )

    def _frames(self, known: pl.Series) -> pl.Series:
        """Return what the boxes of each record refer to: what its reader knows, else what its own numbers prove."""
        values = pl.Series(self.values, dtype=pl.String)
        boxed = np.flatnonzero(values.str.contains_any(list(BOXES)).to_numpy())
        if len(boxed):
            found = known.to_list()
            for record in np.unique(np.searchsorted(self.ends, boxed, side="right")).tolist():
                start = self.ends[record - 1] if record else 0
                found[record] = found[record] or frame_of(
                    [("", text) for text in self.values[start : self.ends[record]]]
                )
            known = pl.Series("frame", found, dtype=pl.String)
        return known.fill_null(self.given) if self.given else known

    def _turns(self) -> pl.DataFrame:
        """Group the turns by record, and count their words and tokens."""
        return grouped(pl.Series(self.speakers, dtype=pl.String), pl.Series(self.values, dtype=pl.String), self.ends)


def grouped(speakers: pl.Series, values: pl.Series, ends: Sequence[int] | NDArray[np.int64]) -> pl.DataFrame:
    """Return the turns of records, and how many words and tokens each record has.

    Parameters
    ----------
    speakers, values
        (m,) of each turn, record after record.
    ends
        (n,) number of turns up to the end of each record.

    Returns
    -------
    polars.DataFrame
        n rows: turns, n_words, n_tokens.

    Examples
    --------
    >>> grouped(pl.Series(["human", "gpt"]), pl.Series(["Who?", "A jay."]), [2, 2]).rows()
    [([{'from': 'human', 'value': 'Who?'}, {'from': 'gpt', 'value': 'A jay.'}], 3, 6), ([], 0, 0)]
    """
    import pyarrow as pa  # noqa: PLC0415  polars groups by sorting; these are grouped already

    edges = np.concatenate([[0], np.asarray(ends, dtype=np.int64)])
    turns = pa.StructArray.from_arrays([speakers.to_arrow(), values.to_arrow()], ["from", "value"])
    lists = pa.LargeListArray.from_arrays(pl.Series(edges).to_arrow(), turns)  # pa.array of numpy imports pandas
    words, tokens = (np.diff(np.concatenate([[0], np.cumsum(counts)])[edges]) for counts in measured(values))
    return pl.DataFrame(
        {
            "turns": pl.Series(lists).cast(pl.List(TURN)),
            "n_words": words.astype(np.uint32),
            "n_tokens": np.ceil(tokens).astype(np.uint32),
        }
    )


def _seldom(name: str, values: Sequence[Sequence[Any] | None]) -> pl.Series:
    """Return a column of lists that most files have none of."""
    given = [None if one is None else list(one) for one in values] if any(values) else [None] * len(values)
    return pl.Series(name, given, dtype=SCHEMA[name])


def stack(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Concatenate the tables of files, in key order, as the table of a pool.

    Parameters
    ----------
    frames
        One table a file, in reading order.

    Returns
    -------
    polars.DataFrame
        The columns of `recipe.data.pool.SCHEMA`. The order of samples with the same key does not depend on the order of
        files and records, unless they are equal in every column.
    """
    rows = in_key_order(pl.concat(frames, how="vertical", rechunk=True).with_row_index("order"))
    return rows.with_row_index("row").select(pl.col(n).cast(t) for n, t in SCHEMA.items())


def in_key_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort samples by key, and those with the same key by every column in which they can differ."""
    return rows.sort(_ORDER, nulls_last=False)
