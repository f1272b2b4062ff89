"""TRL and Hugging Face datasets: Parquet with messages in blocks and the pictures themselves."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from recipe.io.atomic import atomic_write
from recipe.stages.write._chats import Chat, bytes_of, chats, plain_marks
from recipe.stages.write._conversations import messages_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    import pyarrow as pa

    from recipe.config.ranges import From1, Switch
    from recipe.data.media import Medium
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Pictures
    from recipe.stages.write._pack import Rows

HOLDS = ("images", "system", "bytes", "absolute")
ENDINGS = (".parquet",)
BYTES = 64 << 20  # of the pictures of a group of rows, but for the last
GROUP = 100  # rows of a group, as Hugging Face writes tables with pictures
_STRING = {"dtype": "string", "_type": "Value"}
FEATURES = {
    "id": _STRING,
    "messages": [{"role": _STRING, "content": [{"type": _STRING, "text": _STRING}]}],
    "images": [{"_type": "Image"}],
}
_MARK = re.compile(r"(<image>)")
_AFTER = re.compile(r"(<image>)\n+")


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    pack: Switch = False,
    max_tokens: From1 = 1472,
    pictures: Pictures | None = None,
    embed: Switch = True,
) -> int:
    """Write samples to a Parquet file that ``load_dataset("parquet", data_files=...)`` and ``SFTTrainer`` take.

    `messages` are lists of blocks, ``{"type": "image"}`` for a mark and ``{"type": "text", "text": ...}`` for the text
    between; `images` are ``{"bytes", "path"}``, and the schema says that they are Hugging Face's Image. A picture whose
    bytes are not known is written by its path, which is opened from the folder in which training starts. Text-only rows
    have no pictures in their list. Boxes are left as they are: which frame they want depends on the model.

    Parameters
    ----------
    pool, rows, path, pack, max_tokens
        As for `recipe.stages.write.llava.write`.
    pictures
        Returns the bytes of pictures.
    embed
        Whether bytes are written where they are known; otherwise every picture is written by its path.

    Returns
    -------
    int
        Records written: k, or fewer if packed.

    Source: ``prepare_multimodal_messages`` in ``trl/data_utils.py`` and ``DataCollatorForVisionLanguageModeling`` in
    ``trl/trainer/sft_trainer.py`` of huggingface/trl, commit f2cd577.
    """
    import pyarrow as pa  # noqa: PLC0415  it takes a while to import
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    schema = _schema(pa)
    some = chats(pool, rows, holds=HOLDS, trainer="trl", pack=pack, max_tokens=max_tokens)
    written = 0
    with atomic_write(path) as file, pq.ParquetWriter(file, schema, compression="snappy") as table:
        for records in _row_groups(some, pictures if embed else None):
            table.write_table(pa.Table.from_pylist(records, schema=schema), row_group_size=GROUP)
            written += len(records)
    return written


def _row_groups(some: Iterator[Chat], pictures: Pictures | None) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of each row group: not many rows, and not many bytes of pictures."""
    for group in _groups(some):
        records: list[dict[str, Any]] = []
        size = 0
        for record in _records(group, pictures):
            records.append(record)
            size += sum(len(one["bytes"] or b"") for one in record["images"])
            if size > BYTES:
                yield records
                records, size = [], 0
        if records:
            yield records


def _groups(some: Iterator[Chat]) -> Iterator[list[Chat]]:
    """Yield groups of samples."""
    group: list[Chat] = []
    for chat in some:
        group.append(plain_marks(chat))
        if len(group) == GROUP:
            yield group
            group = []
    if group:
        yield group


def _records(group: list[Chat], pictures: Pictures | None) -> Iterator[dict[str, Any]]:
    """Yield the record of each sample."""
    found = bytes_of(group, pictures)
    for chat in group:
        yield {
            "id": chat.id,
            "messages": [{"role": one["role"], "content": _blocks(one)} for one in messages_of(chat)],
            "images": [_picture(one, next(found)) for one in chat.of("image")],
        }


def _picture(picture: Medium, content: bytes | None) -> dict[str, bytes | str | None]:
    """Return a picture: with its bytes, its path only says how its source named it."""
    path = picture.path if content is not None and picture.hash is not None and picture.path else picture.name
    return {"bytes": content, "path": path}


def _blocks(message: dict[str, str]) -> list[dict[str, str | None]]:
    """Return the blocks of a message: of a question each mark is a picture, with the line breaks after it.

    Examples
    --------
    >>> [block["type"] for block in _blocks({"role": "user", "content": "<image>Is this <image>?"})]
    ['image', 'text', 'image', 'text']
    """
    said = message["content"]
    parts = _MARK.split(_AFTER.sub(r"\1", said)) if message["role"] == "user" else [said]
    blocks: list[dict[str, str | None]] = [
        {"type": "image", "text": None} if part == "<image>" else {"type": "text", "text": part}
        for part in parts
        if part
    ]
    return blocks or [{"type": "text", "text": ""}]


def _schema(pa: Any) -> pa.Schema:
    """Return the schema with Hugging Face's description of the features."""
    block = pa.struct([("type", pa.string()), ("text", pa.string())])
    message = pa.struct([("role", pa.string()), ("content", pa.list_(block))])
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = [("id", pa.string()), ("messages", pa.list_(message)), ("images", pa.list_(picture))]
    described = json.dumps({"info": {"features": FEATURES}})
    return pa.schema(columns, metadata={"huggingface": described})
