"""Objects that hold two tables, or one whose answers lie in a file beside it, as records with both sides.

COCO's pictures and captions, VQAv2's questions and answers, MIMIC-IT's instructions under their ids.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from recipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from recipe.stages.read._json import Slice


class _Picture(msgspec.Struct):
    """A line of COCO's list of pictures."""

    id: int | str
    file_name: str
    width: int | None = None
    height: int | None = None


class _OfPicture(msgspec.Struct):
    """What an annotation is of."""

    image_id: int | str


class _Question(msgspec.Struct):
    """What a question is called."""

    question_id: int | str


class _Answer(msgspec.Struct):
    """An annotation of VQAv2."""

    question_id: int | str
    multiple_choice_answer: str
    answer_type: str | None = None
    question_type: str | None = None


class _Answers(msgspec.Struct):
    """The file of VQAv2's answers."""

    annotations: list[_Answer]


def joined(top: Mapping[str, Slice], companion: Path | None) -> list[str] | None:
    """Return the records of an object that holds tables; None if it is none of those that are known.

    Parameters
    ----------
    top
        Name to the text of each value.
    companion
        The file beside it that holds the answers, if any.

    Returns
    -------
    list of str or None
        One JSON object a record: an annotation with `file_name`, `width` and `height` of its picture, or a question
        with its answer and `data_subtype`.

    Raises
    ------
    InputError
        If the answers cannot be read, or are of other questions.
    """
    if {"images", "annotations"} <= top.keys():
        return _captions(top)
    if "questions" in top and companion is not None and "annotations" in companion.name:
        return _questions(top, companion)
    return None


def _captions(top: Mapping[str, Slice]) -> list[str] | None:
    """Give each annotation what the list of pictures says of its picture."""
    try:
        pictures = {one.id: one for one in msgspec.json.decode(_raw(top["images"]), type=list[_Picture])}
        of = msgspec.json.decode(_raw(top["annotations"]), type=list[_OfPicture])
        records = msgspec.json.decode(_raw(top["annotations"]), type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    found = []
    for one, record in zip(of, records, strict=True):
        picture = pictures.get(one.image_id)
        known = {} if picture is None else msgspec.to_builtins(picture)
        found.append(
            _with({name: value for name, value in known.items() if name != "id" and value is not None}, record)
        )
    return found


def _questions(top: Mapping[str, Slice], companion: Path) -> list[str] | None:
    """Give each question its answer."""
    try:
        answers = {
            one.question_id: one for one in msgspec.json.decode(companion.read_bytes(), type=_Answers).annotations
        }
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        what = "expected the answers to the questions beside it, {annotations: [{question_id, multiple_choice_answer}]}"
        raise InputError(f"{companion}: {what}, got {str(error)[:120]}; restore the file, or move it away") from None
    try:
        ids = msgspec.json.decode(_raw(top["questions"]), type=list[_Question])
        records = msgspec.json.decode(_raw(top["questions"]), type=list[msgspec.Raw])
        subtype = msgspec.json.decode(_raw(top["data_subtype"])) if "data_subtype" in top else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    shared: dict[str, Any] = {} if not isinstance(subtype, str) else {"data_subtype": subtype}
    found = []
    for one, record in zip(ids, records, strict=True):
        answer = answers.get(one.question_id)
        own = {} if answer is None else {k: v for k, v in msgspec.to_builtins(answer).items() if v is not None}
        found.append(_with({**shared, **{k: v for k, v in own.items() if k != "question_id"}}, record))
    return found


def _with(more: Mapping[str, Any], record: msgspec.Raw) -> str:
    """Put keys before those of a record."""
    rest = bytes(record).decode()[1:].lstrip()
    if not more:
        return "{" + rest
    return f"{json.dumps(more)[:-1]}{'' if rest.startswith('}') else ', '}{rest}"


def _raw(value: Slice) -> bytes:
    """Return the text of a value as bytes."""
    return value.encode() if isinstance(value, str) else bytes(value)
