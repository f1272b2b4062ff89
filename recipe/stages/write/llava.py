"""LLaVA v1.5: one JSON array, one record per line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.io.atomic import atomic_write
from recipe.stages.write._records import lines

if TYPE_CHECKING:
    from os import PathLike

    from recipe.config.ranges import From1, Ids, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._pack import Rows
    from recipe.stages.write._records import Originals


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    ids: Ids = "string",
    pack: Switch = False,
    max_tokens: From1 = 1472,
    originals: Originals | None = None,
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

    Returns
    -------
    int
        Records written: k, or fewer if packed.
    """
    written = 0
    with atomic_write(path, "w") as file:
        for line in lines(pool, rows, ids=ids, pack=pack, max_tokens=max_tokens, originals=originals):
            file.write(",\n" if written else "[\n")
            file.write(line)
            written += 1
        file.write("\n]\n" if written else "[]\n")
    return written
