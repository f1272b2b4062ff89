"""An order in which Arrow reads JSON Lines: whatever a file has stands once in its first 10 MiB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.frames import has_boxes
from recipe.io.arrow import take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.stages.write._pack import Rows

CHUNK = 10 << 20  # bytes by which Hugging Face's JSON builder knows the types of columns
RECORD = 600  # bytes of a record beside its texts, at least as they are counted here
ESCAPED = 6  # bytes of a byte of text in ASCII JSON, at most
SLICE = 1024  # rows whose texts are in memory at a time


def early(pool: Pool, rows: Rows) -> NDArray[np.int64]:
    """Return rows in an order in which Arrow knows every column by the first part of their file.

    An empty list has no type: where the first 10 MiB have no video, Hugging Face's loader stops at the first one. So
    the first sample with a picture, a video, a sound, and a box each is put into that part, if it does not stand there.

    Parameters
    ----------
    pool
        n samples.
    rows
        (k,) rows of the pool, in pick order.

    Returns
    -------
    ndarray
        (k,) int64: the same rows, in the same order but for at most four.

    Source: ``Json._generate_tables`` of ``datasets/packaged_modules/json/json.py`` (datasets 5.2.0), which reads lines
    by ``chunksize=10 << 20`` and casts every other chunk to the types of the first.
    """
    order = np.asarray(rows, dtype=np.int64)
    room = _room(pool, order)
    late = sorted({at for at in _firsts(pool, order) if at >= room})
    if not late:
        return order
    moved, rest = order[late], np.delete(order, late)
    return np.concatenate([rest[: room // 2], moved, rest[room // 2 :]])


def _room(pool: Pool, order: NDArray[np.int64]) -> int:
    """Return how many of the first rows lie in the first chunk for certain."""
    some = order[: CHUNK // RECORD + 1]
    size = pl.col("turns").list.eval(pl.element().struct.field("value").str.len_bytes()).list.sum()
    bytes_of = take(pool.rows, ("turns",), some).select(size.fill_null(0).cast(pl.Int64) * ESCAPED + RECORD)
    return int((bytes_of.to_series().cum_sum() <= CHUNK).sum())


def _firsts(pool: Pool, order: NDArray[np.int64]) -> Iterator[int]:
    """Yield the place of the first row with a medium of each kind, and of the first with a box of a known frame."""
    found = take(pool.rows, ("image", "media", "frame"), order)
    kinds = pl.col("media").list.eval(pl.element().struct.field("kind"))
    masks = [kinds.list.contains(kind).fill_null(value=False) for kind in ("video", "audio")]
    for mask in (pl.col("image").is_not_null(), *masks):
        places = np.flatnonzero(found.select(mask).to_series().to_numpy())
        yield from places[:1].tolist()
    box = _first_box(pool, order, found["frame"])
    if box is not None:
        yield box


def _first_box(pool: Pool, order: NDArray[np.int64], frame: pl.Series) -> int | None:
    """Return the place of the first row with a box."""
    places: NDArray[Any] = np.flatnonzero(frame.is_not_null().to_numpy())
    for start in range(0, len(places), SLICE):
        some = places[start : start + SLICE]
        for at, turns in zip(some.tolist(), take(pool.rows, ("turns",), order[some])["turns"], strict=True):
            if any(has_boxes(turn["value"]) for turn in turns):
                return int(at)
    return None
