"""ms-swift: JSON Lines of messages with lists of pictures, videos and sounds, and boxes as objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.stages.write._arrow import early
from recipe.stages.write._boxes import described, is_left, say_left
from recipe.stages.write._chats import chats, frames_of, kinds_of, plain_marks
from recipe.stages.write._conversations import messages_of
from recipe.stages.write._files import write_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

    from recipe.config.ranges import From1, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Chat, Sizes
    from recipe.stages.write._pack import Rows

HOLDS = ("images", "video", "videos", "audio", "system", "absolute")
FRAMES = ("pixels", "unit")
ENDINGS = (".jsonl",)
COLUMNS = {"image": "images", "video": "videos", "audio": "audios"}


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    pack: Switch = False,
    max_tokens: From1 = 1472,
    sizes: Sizes | None = None,
) -> int:
    """Write samples to the file that ms-swift takes as ``--dataset``; it finds pictures below ``ROOT_IMAGE_DIR``.

    ``<bbox>`` stands for a box, and `objects` has its numbers: ``real`` pixels, or ``norm1``, 0..1 of the picture, from
    which ms-swift makes what each model wants. All records have the same keys, and the first with a picture, a video, a
    sound or a box stands in the first 10 MiB, so that Arrow reads them; ids are strings, and other keys of the records
    are left out.

    Parameters
    ----------
    pool, rows, path, pack, max_tokens
        As for `recipe.stages.write.llava.write`.
    sizes
        Looks up the sizes of pictures, for boxes whose frame depends on it.

    Returns
    -------
    int
        Records written: k, or fewer if packed.

    Source: ``RowPreprocessor`` in ``swift/dataset/preprocessor/core.py`` and
    ``docs/source_en/Customization/Custom-dataset.md`` of modelscope/ms-swift, commit 3602360.
    """
    kinds = sorted({"image"} | kinds_of(pool, rows), key=list(COLUMNS).index)
    boxed = bool(frames_of(pool, rows))
    some = chats(pool, early(pool, rows), holds=HOLDS, trainer="swift", pack=pack, max_tokens=max_tokens)
    return write_lines(map(json.dumps, _records(map(plain_marks, some), kinds, sizes, boxed=boxed)), path)


def _records(
    some: Iterable[Chat], kinds: Sequence[str], sizes: Sizes | None, *, boxed: bool
) -> Iterator[dict[str, Any]]:
    """Yield the record of each sample, with a list for each kind of media in the file."""
    left = 0
    for chat in some:
        bare, objects = described(chat, sizes)
        left += not objects["bbox"] and is_left(chat, ())
        media = {COLUMNS[kind]: chat.names(kind) for kind in kinds}
        yield {"id": chat.id, "messages": messages_of(bare)} | media | ({"objects": objects} if boxed else {})
    say_left(left)
