"""LLaMA-Factory: an array of messages with lists of pictures, videos and sounds, and the entry that describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.stages.write._chats import chats, kinds_of, plain_marks
from recipe.stages.write._conversations import messages_of
from recipe.stages.write._files import first_record, write_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    from recipe.config.ranges import From1, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Chat
    from recipe.stages.write._pack import Rows

HOLDS = ("images", "video", "videos", "audio", "system", "absolute")
ENDINGS = (".json",)
BESIDE = ("dataset_info.json",)
COLUMNS = {"image": "images", "video": "videos", "audio": "audios"}
TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}


def write(pool: Pool, rows: Rows, path: str | PathLike[str], *, pack: Switch = False, max_tokens: From1 = 1472) -> int:
    """Write samples to a JSON array, and beside it the entry for ``dataset_info.json``.

    The entry is written to ``mix.dataset_info.json``, never into the ``dataset_info.json`` of a folder: add it there,
    or copy the file to that name where there is none. All records have the same keys, so that Arrow reads them; ids are
    strings, and other keys of the records are left out. Boxes are left as they are: which frame they want depends on
    the model that is trained, not on LLaMA-Factory.

    Parameters
    ----------
    pool, rows, path, pack, max_tokens
        As for `recipe.stages.write.llava.write`.

    Returns
    -------
    int
        Records written: k, or fewer if packed.

    Source: ``SharegptDatasetConverter`` in ``src/llamafactory/data/converter.py``, ``parser.py`` beside it, and
    ``_validate_messages`` in ``mm_plugin.py``, of hiyouga/LLaMA-Factory, commit ff6d4d1.
    """
    kinds = sorted({"image"} | kinds_of(pool, rows), key=list(COLUMNS).index)
    some = chats(pool, rows, holds=HOLDS, trainer="llama-factory", pack=pack, max_tokens=max_tokens)
    return write_array((json.dumps(_record(plain_marks(chat), kinds)) for chat in some), path)


def _record(chat: Chat, kinds: Sequence[str]) -> dict[str, Any]:
    """Return the record of a sample, with a list for each kind of media in the file."""
    media = {COLUMNS[kind]: chat.names(kind) for kind in kinds}
    return {"id": chat.id, "messages": messages_of(chat)} | media


def beside(records: Mapping[Path, int]) -> dict[str, str]:
    """Return the entries of the files of a mix, each under its name without the ending."""
    listed = {}
    for file in records:
        media = [name for name in COLUMNS.values() if name in first_record(file) or name == "images"]
        columns = {"messages": "messages"} | {name: name for name in media}
        listed[file.stem] = {"file_name": file.name, "formatting": "sharegpt", "columns": columns, "tags": TAGS}
    return {"dataset_info.json": json.dumps(listed, indent=1) + "\n"}
