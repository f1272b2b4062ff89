"""LLaVA v1.5: one JSON array, one record per line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.write._files import write_array
from recipe.stages.write._records import LLAVA, lines

if TYPE_CHECKING:
    from os import PathLike

    from recipe.config.ranges import From1, Ids, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Sizes
    from recipe.stages.write._pack import Rows
    from recipe.stages.write._records import Originals

HOLDS = ()
FRAMES = LLAVA
ENDINGS = (".json",)


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    ids: Ids = "string",
    pack: Switch = False,
    max_tokens: From1 = 1472,
    originals: Originals | None = None,
    sizes: Sizes | None = None,
) -> int:
    """Write samples to the file that LLaVA v1.5 takes as ``--data_path``.

    The file is ASCII, so that it is read in the same way under every locale, and is written atomically.

    Parameters
    ----------
    pool
        n samples.
    rows
        (k,) rows of the pool; the file keeps their order.
    path
        File to write, usually ``.json``.
    ids
        ``"string"`` writes every id as a string; ``"given"`` as it was read.
    pack
        Merge single questions about one image into one record, as LLaVA did for its VQA sources.
    max_tokens
        Maximum tokens of a merged record, from 1.
    originals
        The lines of records that are written as they were read; by default all are made from the pool.
    sizes
        Looks up the sizes of pictures, for boxes in pixels or 0..1000, which are written 0..1 of the padded square, or
        of the picture where its size is not known.

    Returns
    -------
    int
        Records written: k, or fewer if packed.

    Source: ``LazySupervisedDataset`` in ``llava/train/train.py`` of haotian-liu/LLaVA, commit c121f04.
    """
    how: Any = {"ids": ids, "pack": pack, "max_tokens": max_tokens, "originals": originals, "sizes": sizes}
    return write_array(lines(pool, rows, **how), path)
