"""SVIT's raw files: one item per image, one sample for each conversation about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recipe.engine.seed import draw
from recipe.stages.read._boxes import BadBox, NoSize, convert, has_box, has_marks
from recipe.stages.read._entry import SPEAKERS, Entry, dump, key_of, pack_extra, read_turns
from recipe.stages.read._images import image_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context, Turns

SUFFIXES = (
    "Provide the bounding boxes of the mentioned objects.",
    "Include the coordinates for each mentioned object.",
    "Locate the objects with their coordinates.",
)
_SPEAKERS = {**SPEAKERS, "user": "human"}
_TASK_OF_NAME = (  # the first word that a file's name contains decides
    ("referring", "referring_qa"),
    ("detail", "detail_description"),
    ("reasoning", "complex_reasoning"),
    ("conversation", "conversation"),
)
_ASKS_TO_DESCRIBE = re.compile(
    r"\b(?:descri|depict|portray|narrat|elaborat|expla|illustrat|interpret|account|analy|breakdown|break down|detail"
    r"|overview|commentary|specifics|particulars|nuances|dissect|expound|convey)",
    re.IGNORECASE,
)
_OF_THE_IMAGE = re.compile(r"\b(?:image|picture|photo)\b", re.IGNORECASE)
_ASKS_ABOUT = re.compile(r"\s*(?:what|which|who|why|where|when|how|is|are|do|does)\b", re.IGNORECASE)
_SHORT = 12  # a request to describe the image of at most so many words asks for nothing else
_LONG = 60  # an answer of at least so many words to any such question is a description


def confidence(record: dict[str, Any]) -> float:
    """Return 0.9 if a record has conversations with `content` and an `image_id`, 0.4 without the latter; else 0."""
    talks = record.get("conversations")
    if not isinstance(talks, list) or not any(isinstance(talk, dict) and "content" in talk for talk in talks):
        return 0
    return 0.9 if "image_id" in record else 0.4


def read(item: dict[str, Any], context: Context) -> Iterator[Entry]:
    """Read each conversation of one image as one sample, as in SVIT's own LLaVA-format files.

    In referring samples `<st>` and `<ed>` are removed, boxes are converted to the padded square image (or kept), and
    one of three sentences, drawn by the sample's key, is appended to each question.

    Parameters
    ----------
    item
        ``{"image_id": int, "conversations": [{"topic"?: str, "content": [{"from": "user" | "gpt", "value": str}]}]}``.
    context
        `path` for the task in the file's name (else the task is inferred from the sample), `boxes`, `suffix_seed`, and
        `images` for path and size.

    Yields
    ------
    Entry
        The samples, with `topic` and unknown keys in `extra`; or one entry with a problem if the item has none. An
        `image_id` that is not a valid id (negative, null, missing) is problem `L07`.

    Source: Zhao et al. 2023, SVIT (arXiv:2307.04087), section 3, and the files `SVIT_*.json` in LLaVA format.
    """
    talks = item.get("conversations")
    if not isinstance(talks, list) or not talks:
        yield Entry([], problem="L09" if talks == [] else "L05", raw=dump(item))
        return
    for index, talk in enumerate(talks):
        yield _sample(item, index, talk, context)


def _sample(item: dict[str, Any], index: int, talk: object, context: Context) -> Entry:
    """Read one conversation."""
    image_id = item.get("image_id")
    if not isinstance(talk, dict):
        return Entry([], problem="not_a_record", raw=dump([image_id, talk]))
    number = image_number(image_id)
    turns, others, problem = read_turns(talk.get("content"), _SPEAKERS)
    task = _task_of_name(context.path.name) or _task_of_shape(turns)
    extra = _extra(item, talk, others)
    if problem or number is None:
        return Entry(turns, None, None, extra, task, problem or "L07", dump([image_id, talk]))
    image = context.images.path(number)
    turns, problem = _with_boxes(turns, image, number, task, context)
    if task == "referring_qa" and not problem:
        turns = _with_suffix(turns, SUFFIXES[draw(key_of(image, turns), seed=context.suffix_seed, label="suffix") % 3])
    frame = ("square" if context.boxes == "square" else "unit") if task == "referring_qa" else None
    return Entry(turns, image, f"svit_{task}_{number}_{index}", extra, task, problem, frame=frame)


def _with_boxes(turns: Turns, image: str, number: int, task: str, context: Context) -> tuple[Turns, str | None]:
    """Convert the boxes of a referring sample, or of any sample with SVIT's box markup."""
    if task != "referring_qa" and not any(has_marks(value) for _, value in turns):
        return turns, None
    boxed = context.boxes == "square" and any(has_box(value) for _, value in turns)
    size = context.images.size(number, image) if boxed else None
    try:
        return [(who, convert(value, boxes=context.boxes, size=size)) for who, value in turns], None
    except BadBox as error:
        return turns, f"bad_box:{error}"
    except NoSize:
        return turns, "no_image_size"


def _with_suffix(turns: Turns, suffix: str) -> Turns:
    """Append a sentence to each question."""
    return [(who, f"{value} {suffix}" if who == "human" and value.strip() else value) for who, value in turns]


def _extra(item: dict[str, Any], talk: dict[str, Any], others: list[dict[str, Any]] | None) -> str | None:
    """Keep the topic, and put keys unknown to SVIT under `item`, so that they do not hide a key of LLaVA's format."""
    unknown = {key: value for key, value in item.items() if key not in ("image_id", "conversations")}
    unknown |= {key: value for key, value in talk.items() if key not in ("topic", "content")}
    if "image_id" in item and type(item["image_id"]) is not int:
        unknown["image_id"] = item["image_id"]
    extra: dict[str, Any] = {"topic": talk["topic"]} if "topic" in talk else {}
    if unknown:
        extra["item"] = unknown
    if others:
        extra["conversations"] = others
    return pack_extra(extra)


def _task_of_name(name: str) -> str | None:
    """Return the task that a file's name contains, if any."""
    return next((task for word, task in _TASK_OF_NAME if word in name.lower()), None)


def _task_of_shape(turns: Turns) -> str:
    """Infer the task from the sample itself.

    SVIT's requests for a description mention only the image; all its other questions are about something in it.
    """
    if any(has_marks(value) or has_box(value) for _, value in turns):
        return "referring_qa"
    if len(turns) != 2:  # noqa: PLR2004  one question and one answer
        return "conversation"
    question, answer = turns[0][1], turns[1][1]
    if not (_ASKS_TO_DESCRIBE.search(question) and _OF_THE_IMAGE.search(question)):
        return "complex_reasoning"
    only_that = len(question.split()) <= _SHORT and not _ASKS_ABOUT.match(question)
    return "detail_description" if only_that or len(answer.split()) >= _LONG else "complex_reasoning"
