"""LLaVA-NeXT and LLaVA-OneVision: LLaVA's array with several pictures and videos, and the YAML that names its files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from recipe.stages.write._boxes import in_frames
from recipe.stages.write._chats import chats
from recipe.stages.write._conversations import record_of
from recipe.stages.write._files import below, write_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from pathlib import Path

    from recipe.config.ranges import From1, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Chat, Sizes
    from recipe.stages.write._pack import Rows

HOLDS = ("images", "video")
FRAMES = ("unit", "square")  # it shows a picture whole, or padded where `image_aspect_ratio` is pad
ENDINGS = (".json",)
BESIDE = ("yaml",)


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    pack: Switch = False,
    max_tokens: From1 = 1472,
    sizes: Sizes | None = None,
    folder: str = "",  # noqa: ARG001  `beside` has it
) -> int:
    """Write samples to a JSON array, and beside it the YAML that LLaVA-NeXT takes as ``--data_path``.

    One picture is a path and several are a list under `image`; a video is a path under `video`, and its mark becomes
    `<image>`, the one mark that the trainer knows. Every id is a string.

    Parameters
    ----------
    pool, rows, path, pack, max_tokens
        As for `recipe.stages.write.llava.write`.
    sizes
        Looks up the sizes of pictures, for boxes whose frame depends on it.
    folder
        The folder of the mix as training sees it, which the YAML then names; by default training starts in that folder.

    Returns
    -------
    int
        Records written: k, or fewer if packed.

    Source: ``LazySupervisedDataset`` and ``preprocess_multimodal`` in ``llava/train/train.py`` of LLaVA-VL/LLaVA-NeXT,
    commit df17966.
    """
    some = chats(pool, rows, holds=HOLDS, trainer="llava-next", pack=pack, max_tokens=max_tokens)
    return write_array(_lines(in_frames(some, FRAMES, sizes)), path)


def _lines(some: Iterator[Chat]) -> Iterator[str]:
    """Yield the record of each sample."""
    for found in some:
        turns = (
            [(who, said.replace("<video>", "<image>")) for who, said in found.turns]
            if found.of("video")
            else found.turns
        )
        yield json.dumps(record_of(found.saying(turns)))


def beside(records: Mapping[Path, int], *, folder: str = "") -> dict[str, str]:
    """Return the YAML that lists the files of a mix, each whole.

    Examples
    --------
    >>> from pathlib import Path
    >>> print(beside({Path("mix.json"): 7})["yaml"], end="")
    datasets:
    - json_path: mix.json
      sampling_strategy: all
    """
    listed = [{"json_path": below(folder, file.name), "sampling_strategy": "all"} for file in records]
    return {"yaml": yaml.safe_dump({"datasets": listed}, sort_keys=False)}
