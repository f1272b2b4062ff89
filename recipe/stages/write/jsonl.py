"""JSON Lines: one LLaVA record per line, without an array around them, for loaders that stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.write._files import write_lines
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
ENDINGS = (".jsonl",)


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
    """Write samples as JSON Lines, which LLaVA v1.5 itself cannot read: its file is one array.

    Parameters
    ----------
    pool, rows, ids, pack, max_tokens, originals, sizes
        As for `recipe.stages.write.llava.write`.
    path
        File to write, usually ``.jsonl``.

    Returns
    -------
    int
        Records written: k, or fewer if packed.
    """
    how: Any = {"ids": ids, "pack": pack, "max_tokens": max_tokens, "originals": originals, "sizes": sizes}
    return write_lines(lines(pool, rows, **how), path)
