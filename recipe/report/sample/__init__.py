"""Samples to read: some picks as a table, and one sample as a card with its image and its boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.data.overview import meaning
from recipe.data.problems import code_of
from recipe.data.samples import sample_rows, sample_table
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
COLUMNS = ("row", "key", "id", "image", "problem", "turns", *LABELS, "nearest", "similarity")


def draw_samples(mix: Selection, n: int, **where: Any) -> pl.DataFrame:
    """Sample some picks at random to read.

    Parameters
    ----------
    mix
        Any.
    n, **where
        As for `recipe.data.samples.sample_rows`.

    Returns
    -------
    polars.DataFrame
        One line a pick, in pick order: rank, and the columns of `recipe.data.samples.sample_table`.

    Raises
    ------
    ConfigError
        If a filter is unknown, or no pick has its value.
    """
    drawn = sample_rows(mix.pool.rows, mix.picks.rows, n, where)
    rank = np.flatnonzero(np.isin(mix.picks.rows, drawn))
    return sample_table(mix.pool.rows, mix.picks.rows[rank]).insert_column(0, pl.Series("rank", rank, pl.UInt32))


def show_sample(mix: Selection, key: str, *, images: str | Path | None = None, boxes: Frame | None = None) -> Shown:
    """Show one sample of the pool, picked or not.

    Parameters
    ----------
    mix
        Any.
    key
        A key or its first characters.
    images
        The image folder; None shows the text only, and does not need Pillow.
    boxes
        What the coordinates of its boxes refer to: ``"square"``, the square to which LLaVA-v1.5 pads the image, or
        ``"keep"``, the image itself. By default as `frame_of` says.

    Returns
    -------
    Shown
        The sample.

    Raises
    ------
    ConfigError
        If no key, or more than one, begins so, or `boxes` is neither.
    InputError
        If the folder does not exist.
    MissingExtra
        If there is an image to draw and Pillow is not installed.
    """
    if boxes not in (None, "square", "keep"):
        raise ConfigError(f"boxes: expected 'square' or 'keep', got boxes={boxes!r}")
    rows, row = mix.pool.rows, row_of(mix, key)
    sample = take(rows, [name for name in COLUMNS if name in rows.columns], np.array([row])).to_dicts()[0]
    turns = tuple((turn["from"], turn["value"]) for turn in sample["turns"] or [])
    found = tuple(find_boxes([value for _, value in turns]))
    frame = boxes or frame_of(sample, mix.recipe.read.boxes)
    image, note = None, ""
    if images is not None and sample["image"] is not None:
        image, note = open_image(images, sample["image"])
    if image is not None and found:
        outside = [str(box.number) for box in found if pixels(box, image.size, square=frame == "square") is None]
        left_out = f"outside the image: box {', '.join(outside)}" if outside else ""
        image, note = draw_boxes(image, found, square=frame == "square"), "; ".join(filter(None, (note, left_out)))
    labels = {name: sample[name] for name in LABELS if sample.get(name) not in (None, [])}
    why = _why(mix, row, sample)
    return Shown(sample["key"], sample["id"], turns, labels, why, found, frame, sample["image"], image, note)


def frame_of(sample: dict[str, Any], read: Frame) -> Frame:
    """Return what the coordinates of a sample's boxes refer to.

    SVIT's are as the recipe's `read.boxes` says. A record that names its task is Vision-Flan's, whose boxes are on the
    image. Any other is LLaVA's, whose boxes are on the padded square.

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
    """Return in one line why a sample was picked, or why not."""
    if sample["problem"]:
        return f"rejected, {sample['problem']}: {meaning(code_of(sample['problem']))}"
    rank = np.flatnonzero(mix.picks.rows == row)
    if len(rank):
        gains = [f"{term} {gain[rank[0]]:.4g}" for term, gain in mix.picks.gains.items()]
        return f"pick {rank[0]:,} of {len(mix):,}, counted from 0" + (f"; it added {', '.join(gains)}" if gains else "")
    if sample.get("nearest") is None:
        return "not picked"
    representative = take(mix.pool.rows, ["key"], np.array([sample["nearest"]]))["key"][0]
    return f"not picked; represented by {representative}, with a similarity of {sample['similarity']:.2f}"
