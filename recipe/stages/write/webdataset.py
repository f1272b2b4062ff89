"""WebDataset for Energon: a tar with the pictures of a sample and its record, under one key."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from recipe.data.signatures import UNKNOWN, ending_of
from recipe.errors import InputError
from recipe.io.atomic import atomic_write
from recipe.stages.write._chats import bytes_of, chats, plain_marks
from recipe.stages.write._conversations import messages_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from recipe.config.ranges import From1, Switch
    from recipe.data.pool import Pool
    from recipe.stages.write._chats import Chat, Pictures
    from recipe.stages.write._pack import Rows

HOLDS = ("images", "system", "bytes")
ENDINGS = (".tar",)


def write(
    pool: Pool,
    rows: Rows,
    path: str | PathLike[str],
    *,
    pack: Switch = False,
    max_tokens: From1 = 1472,
    pictures: Pictures | None = None,
) -> int:
    """Write samples to a tar in which ``energon prepare`` and `webdataset` find a sample by its key.

    The key is the number of the sample in the file, of nine digits. ``KEY.jpg`` (or the ending that its picture has) is
    the picture, ``KEY.0.jpg``, ``KEY.1.jpg`` are several, and ``KEY.json`` is ``{"id", "texts": [{"role", "content"}],
    "media": "image" or "text", "name": [...]}``. `name` lists the pictures' endings in the order of their marks: so the
    sample loader of LLaVA-OneVision-1.5 finds them. For Energon's VQASample map ``image: jpg``, ``context:
    json[texts][0][content]`` and ``answers: json[texts][1][content]``. Boxes are left as they are.

    Parameters
    ----------
    pool, rows, path, pack, max_tokens
        As for `recipe.stages.write.llava.write`.
    pictures
        Returns the bytes of pictures.

    Returns
    -------
    int
        Samples written: k, or fewer if packed.

    Raises
    ------
    InputError
        If the bytes of a picture are not known.

    Source: ``tools/data_preprocess/convert_to_webdataset.py`` of EvolvingLMMs-Lab/LLaVA-OneVision-1.5, commit a5eb942;
    ``src/megatron/energon/flavors/webdataset`` of NVIDIA/Megatron-Energon, commit bef8be2.
    """
    some = chats(pool, rows, holds=HOLDS, trainer="webdataset", pack=pack, max_tokens=max_tokens)
    written = 0
    with atomic_write(path) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for chat in some:
            for name, content in _members(plain_marks(chat), f"{written:09d}", pictures):
                member = tarfile.TarInfo(name)  # without times and owners, so that the same samples are the same bytes
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            written += 1
    return written


def _members(chat: Chat, key: str, pictures: Pictures | None) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a sample: its pictures, and then its record."""
    names: list[str] = []
    shown = chat.of("image")
    for number, (one, content) in enumerate(zip(shown, bytes_of([chat], pictures), strict=True)):
        if content is None:
            what = f"expected the bytes of {one.name}, which a tar holds, got none"
            raise InputError(f"write.webdataset: {what}; name the folder of the images (--images)")
        found = ending_of(content)
        ending = "jpg" if found == UNKNOWN else found
        names.append(ending if len(shown) == 1 else f"{number}.{ending}")
        yield f"{key}.{names[-1]}", content
    record: dict[str, Any] = {"id": chat.id, "texts": messages_of(chat)}
    record |= {"media": "image", "name": names} if names else {"media": "text"}
    yield f"{key}.json", json.dumps(record).encode("ascii")
