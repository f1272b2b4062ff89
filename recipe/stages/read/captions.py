"""Captions: COCO's, Karpathy's splits of COCO and Flickr30k, LAVIS's, PixMo's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.data.media import Medium
from recipe.stages.read import minigpt4
from recipe.stages.read._dialects.conversation import read_conversation
from recipe.stages.read._dialects.media import KEYS, is_nothing
from recipe.stages.read.qa import picture_by_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Entry

QUESTION = "Provide a one-sentence caption for the provided image."  # LLaVA v1.5's for captions
TASK = "caption"


def confidence(record: dict[str, Any]) -> float:
    """Return 0.9 for `filename` and `sentences`, 0.6 for a caption of a picture by its path or number; else 0."""
    if "filename" in record and isinstance(record.get("sentences"), list):
        return 0.9
    if not isinstance(record.get("caption"), str | list) or "conversations" in record:
        return 0
    return 0.6 if "image_id" in record or "file_name" in record or any(key in record for key in KEYS) else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read each caption of a picture as one sample.

    Parameters
    ----------
    record
        ``{"image_id": int, "caption": str, "file_name"?}`` (COCO; the name comes from its list of pictures, else it is
        that of 2017), ``{"image": path, "caption": str | [str]}`` (LAVIS), ``{"filename", "sentences": [{"raw"}]}``
        (Karpathy), ``{"image_url", "caption", "transcripts"}`` (PixMo, which describes in detail).
    context
        For the folder of its pictures.

    Yields
    ------
    Entry
        A fixed question and the caption, its task name `caption`, or `detail_description` for PixMo's.

    Source: Chen et al. 2015, Microsoft COCO Captions (arXiv:1504.00325); Karpathy and Fei-Fei 2015 (arXiv:1412.2306).

    Examples
    --------
    >>> [one.turns[1][1] for one in read({"image": "a.jpg", "caption": ["A jay.", "A bird."]}, None)]
    ['A jay.', 'A bird.']
    >>> next(read({"image_id": 92, "caption": "A jay."}, None)).media[0].path
    '000000000092.jpg'
    """
    detailed = "transcripts" in record
    question, task = (minigpt4.QUESTION, "detail_description") if detailed else (QUESTION, TASK)
    if "sentences" in record:
        sentences = record["sentences"] if isinstance(record["sentences"], list) else []
        given = [one.get("raw") if isinstance(one, dict) else one for one in sentences or [None]]
        name = record.get("filename")
        folder = record.get("filepath")
        path = f"{folder}/{name}" if isinstance(folder, str) and folder else name
        shown = [Medium(path=path, root=None if context is None else context.root)] if isinstance(path, str) else None
    else:
        caption = record.get("caption")
        given = caption if isinstance(caption, list) and caption else [caption]
        picture = None if any(not is_nothing(record.get(key)) for key in KEYS) else picture_by_number(record, context)
        shown = None if picture is None else [picture]
    used = ("caption", "sentences", "filename", "filepath", "transcripts", "file_name", "tokens", "sentids")
    for number, caption in enumerate(given):
        turns = [{"from": "human", "value": question}, {"from": "gpt", "value": caption}]
        name = record.get("id", record.get("image_id", record.get("imgid")))
        identifier = f"{name}_{number}" if len(given) > 1 and isinstance(name, str | int) else name
        yield read_conversation(record, context, turns, used, shown=shown, task_name=task, identifier=identifier)
