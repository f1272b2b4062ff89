"""Qwen-VL's own finetuning (Qwen2-VL to Qwen3-VL): LLaVA's turns, pictures and videos in the order of their marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recipe.stages.write._boxes import in_frames
from recipe.stages.write._chats import chats
from recipe.stages.write._conversations import record_of
from recipe.stages.write._files import write_array, write_lines

if TYPE_CHECKING:
    from os import PathLike

    from recipe.config.ranges import From1, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Sizes
    from recipe.stages.write._pack import Rows

HOLDS = ("images", "video", "videos", "absolute")
FRAMES = ("pixels",)
ENDINGS = (".json", ".jsonl")


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    pack: Switch = False,
    max_tokens: From1 = 1472,
    sizes: Sizes | None = None,
    frame: Literal["pixels", "thousand"] = "pixels",
) -> int:
    """Write samples to the file that ``annotation_path`` names in ``qwenvl/data/__init__.py``.

    A mark in a question is a picture or a video, the next of the list under `image` or `video`. Every id is a string.

    Parameters
    ----------
    pool, rows, pack, max_tokens
        As for `recipe.stages.write.llava.write`.
    path
        File to write: ``.json`` for an array, ``.jsonl`` for a record a line.
    sizes
        Looks up the sizes of pictures, for boxes whose frame depends on it.
    frame
        What the coordinates of boxes refer to: ``"pixels"`` of the picture, as Qwen2.5-VL has them, or ``"thousand"``,
        0..1000 of it, as Qwen2-VL and Qwen3-VL have them. Qwen2.5-VL counts the pixels that it sees: where pictures are
        resized (``--max_pixels``), scale them too, as ``tools/process_bbox.ipynb`` does.

    Returns
    -------
    int
        Records written: k, or fewer if packed.

    Source: ``_build_messages`` and ``LazySupervisedDataset`` in ``qwen-vl-finetune/qwenvl/data/data_processor.py`` of
    QwenLM/Qwen3-VL, commit 9658872.
    """
    some = chats(pool, rows, holds=HOLDS, trainer="qwen-vl", pack=pack, max_tokens=max_tokens)
    lines = (json.dumps(record_of(chat)) for chat in in_frames(some, (frame,), sizes))
    return (write_lines if Path(path).suffix == ".jsonl" else write_array)(lines, path)
