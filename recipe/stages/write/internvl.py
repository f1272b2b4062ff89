"""InternVL: JSON Lines with the sizes of pictures, boxes in 0..1000, and the meta file that names its files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.stages.write._boxes import in_frames, marked, sizes_of
from recipe.stages.write._chats import chats
from recipe.stages.write._conversations import record_of
from recipe.stages.write._files import below, write_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from recipe.config.ranges import From1, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Chat, Sizes
    from recipe.stages.write._pack import Rows

HOLDS = ("images", "system")  # its loader reads a video through a client of its own cluster only
FRAMES = ("thousand",)
ENDINGS = (".jsonl",)
BESIDE = ("meta.json",)


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    pack: Switch = False,
    max_tokens: From1 = 1472,
    sizes: Sizes | None = None,
    root: str = "",  # noqa: ARG001  `beside` has it
    folder: str = "",  # noqa: ARG001  as above
) -> int:
    """Write samples to JSON Lines, and beside them the file that InternVL takes as ``--meta_path``.

    A picture has its `width` and `height` where they are known, several have `width_list` and `height_list`; its code
    does not read them, its documents have them. A system prompt is the first turn, which the template ``internvl2_5``
    takes; its record lists even one picture, or the loader would put a second mark into the prompt. Every id is a
    string.

    Parameters
    ----------
    pool, rows, path, pack, max_tokens
        As for `recipe.stages.write.llava.write`.
    sizes
        Looks up the sizes of pictures.
    root
        The folder of the pictures as training sees it; by default training starts in that folder.
    folder
        The folder of the mix as training sees it; by default training starts in that folder.

    Returns
    -------
    int
        Records written: k, or fewer if packed.

    Source: ``LazySupervisedDataset`` and ``build_datasets`` in
    ``internvl_chat/internvl/train/internvl_chat_finetune.py`` and ``preprocess_internvl2_5`` in ``dataset.py`` beside
    it, of OpenGVLab/InternVL, commit 2410d1d.
    """
    some = chats(pool, rows, holds=HOLDS, trainer="internvl", pack=pack, max_tokens=max_tokens)
    return write_lines((json.dumps(_record(chat, sizes)) for chat in in_frames(some, FRAMES, sizes, marked)), path)


def _record(chat: Chat, sizes: Sizes | None) -> dict[str, Any]:
    """Return the record of a sample."""
    listed = chat.system is not None
    record = record_of(chat, system=True, listed=listed)
    known = [size for size in sizes_of(chat, sizes) if size is not None]
    if not known or len(known) < len(chat.of("image")):
        return record
    more: dict[str, Any] = {"width": known[0][0], "height": known[0][1]}
    if isinstance(record["image"], list):
        more = {"width_list": [width for width, _ in known], "height_list": [height for _, height in known]}
    return {"id": record["id"], "image": record["image"]} | more | record


def beside(records: Mapping[Path, int], *, root: str = "", folder: str = "") -> dict[str, str]:
    """Return the meta file, which names each file of a mix.

    Examples
    --------
    >>> from pathlib import Path
    >>> beside({Path("mix.jsonl"): 7}, root="/data/images/")["meta.json"].count("repeat_time")
    1
    """
    listed = {
        file.stem: {
            "root": root,
            "annotation": below(folder, file.name),
            "data_augment": False,
            "repeat_time": 1,
            "length": count,
        }
        for file, count in records.items()
    }
    return {"meta.json": json.dumps(listed, indent=1) + "\n"}
