"""JSON Lines: one LLaVA record per line, without an array around them, for loaders that stream."""

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
    """Write samples as JSON Lines, which LLaVA v1.5 itself cannot read: its file is one array.

    Parameters
    ----------
    pool, rows, ids, pack, max_tokens, originals
        As for `recipe.stages.write.llava.write`.
    path
        File to write, usually ``.jsonl``.

    Returns
    -------
    int
        Records written: k, or fewer if packed.
    """
    written = 0
    with atomic_write(path, "w") as file:
        for line in lines(pool, rows, ids=ids, pack=pack, max_tokens=max_tokens, originals=originals):
            file.write(line + "\n")
            written += 1
    return written
