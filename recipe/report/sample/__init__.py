"""Samples to look at: a few picks as a table, and one as a card with its image and its boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.overview import meaning
from recipe.data.problems import code_of
from recipe.data.samples import draw_lots, told
from recipe.errors import ConfigError
from recipe.io.arrow import take
from recipe.report.sample.boxes import draw_boxes, find_boxes, pixels
from recipe.report.sample.card import Shown
from recipe.report.sample.image import open_image
from recipe.report.why import row_of

if TYPE_CHECKING:
    from pathlib import Path

    from recipe.data.selection import Selection
    from recipe.report.sample.card import Frame

LABELS = ("source", "task_name", "task", "answer", "cluster", "concepts", "flags")
TOLD = ("row", "key", "id", "image", "problem", "turns", *LABELS, "nearest", "similarity")


def draw_samples(mix: Selection, n: int, **where: Any) -> pl.DataFrame:
    """Draw some picks to read.

    Parameters
    ----------
    mix
        Any.
    n, **where
        As for `recipe.data.samples.draw_lots`.

    Returns
    -------
    polars.DataFrame
        One line a pick, in pick order: rank, and what `recipe.data.samples.told` tells.

    Raises
    ------
    ConfigError
        If a filter is unknown, or no pick has its value.
    """
    drawn = draw_lots(mix.pool.rows, mix.picks.rows, n, where)
    rank = np.flatnonzero(np.isin(mix.picks.rows, drawn))
    return told(mix.pool.rows, mix.picks.rows[rank]).insert_column(0, pl.Series("rank", rank, pl.UInt32))


def show_sample(mix: Selection, key: str, *, images: str | Path | None = None, boxes: Frame | None = None) -> Shown:
    """Show one sample of the pool, picked or not.

    Parameters
    ----------
    mix
        Any.
    key
        A key or its first characters.
    images
        The image folder; None shows the text alone, for which Pillow is not needed.
    boxes
        Where its boxes lie: ``"square"``, on the square to which LLaVA-v1.5 pads the image, or ``"keep"``, on the image
        itself. By default as `frame_of` tells.

    Returns
    -------
    Shown
        The sample.

    Raises
    ------
    ConfigError
        If no key, or more than one, begins so, or `boxes` is neither of both.
    InputError
        If the folder is none.
    MissingExtra
        If there is an image to draw and Pillow is not installed.
    """
    if boxes not in (None, "square", "keep"):
        raise ConfigError(f"boxes: expected 'square' or 'keep', got boxes={boxes!r}")
    rows, row = mix.pool.rows, row_of(mix, key)
    told_of = take(rows, [name for name in TOLD if name in rows.columns], np.array([row])).to_dicts()[0]
    turns = tuple((turn["from"], turn["value"]) for turn in told_of["turns"] or [])
    found = tuple(find_boxes([value for _, value in turns]))
    frame = boxes or frame_of(told_of, mix.recipe.read.boxes)
    image, note = None, ""
    if images is not None and told_of["image"] is not None:
        image, note = open_image(images, told_of["image"])
    if image is not None and found:
        outside = [str(box.number) for box in found if pixels(box, image.size, square=frame == "square") is None]
        lost = f"outside the image: box {', '.join(outside)}" if outside else ""
        image, note = draw_boxes(image, found, square=frame == "square"), "; ".join(filter(None, (note, lost)))
    labels = {name: told_of[name] for name in LABELS if told_of.get(name) not in (None, [])}
    why = _why(mix, row, told_of)
    return Shown(told_of["key"], told_of["id"], turns, labels, why, found, frame, told_of["image"], image, note)


def frame_of(sample: dict[str, Any], read: Frame) -> Frame:
    """Tell where the boxes of a sample lie.

    SVIT's lie where the recipe's `read.boxes` put them. A record that names its task is Vision-Flan's, whose boxes lie
    on the image. Any other is LLaVA's, whose boxes lie on the padded square.

    Parameters
    ----------
    sample
        Its `id` and `task_name`.
    read
        The recipe's `read.boxes`.

    Returns
    -------
    str
        ``"square"`` or ``"keep"``.

    Source: LLaVA issue 606; DataOptim's table of boxes; Vision-Flan's RefCOCO regions reach the upper and lower edge of
    landscape images, LLaVA's do not.

    Examples
    --------
    >>> frame_of({"id": "svit_referring_qa_1_0", "task_name": "referring_qa"}, "keep")
    'keep'
    >>> frame_of({"id": "7", "task_name": "RefCOCO+region_expression"}, "square")
    'keep'
    >>> frame_of({"id": "refcoco_7", "task_name": None}, "keep")
    'square'
    """
    if sample["task_name"] is None:
        return "square"
    return read if str(sample["id"]).startswith("svit_") else "keep"


def _why(mix: Selection, row: int, sample: dict[str, Any]) -> str:
    """Say in one line why a sample was picked, or why not."""
    if sample["problem"]:
        return f"rejected, {sample['problem']}: {meaning(code_of(sample['problem']))}"
    rank = np.flatnonzero(mix.picks.rows == row)
    if len(rank):
        gains = [f"{term} {gain[rank[0]]:.4g}" for term, gain in mix.picks.gains.items()]
        return f"pick {rank[0]:,} of {len(mix):,}, counted from 0" + (f"; it added {', '.join(gains)}" if gains else "")
    if sample.get("nearest") is None:
        return "not picked"
    stands = take(mix.pool.rows, ["key"], np.array([sample["nearest"]]))["key"][0]
    return f"not picked; {stands} stands for it, with a similarity of {sample['similarity']:.2f}"
