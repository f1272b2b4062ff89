"""A question and its answer about a picture: VQAv2, GQA, LAVIS, LRV, PixMo, VLMEvalKit's tables."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, Any

from recipe.data.media import Medium
from recipe.stages.read._dialects.conversation import read_conversation
from recipe.stages.read._dialects.media import KEYS as MEDIA
from recipe.stages.read._dialects.media import alike, is_base64, is_nothing, names_a_picture, with_size
from recipe.stages.read._entry import dump, is_broken
from recipe.stages.read._images import image_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recipe.stages.read._entry import Context, Entry

QUESTION, HINT = "question", "hint"
ANSWERS = ("multiple_choice_answer", "answer", "answers", "fullAnswer")  # the first that a record has counts
OPTIONS = "ABCDEFGHIJ"  # VLMEvalKit: a column an option
LISTED = ("choices", "options")  # a list of options, of which the answer may be the number
_NAMED = ("imageId", "image_id")  # a picture by its number


def confidence(record: dict[str, Any]) -> float:
    """Return 0.7 if a record has a question, an answer, and a picture by its path, its bytes or its number; else 0."""
    if QUESTION not in record or not any(key in record for key in ANSWERS):
        return 0
    return 0.7 if any(key in record for key in (*MEDIA, *_NAMED)) else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    r"""Read one question and its answer as one sample.

    Parameters
    ----------
    record
        ``{"question": str, "answer": str | [str]}`` and a picture under a key of its own, or its number: ``imageId``
        (GQA), ``image_id`` (VQAv2, with the names of COCO's files; LRV, with those of Visual Genome's). Of several
        answers the most frequent counts. Options under ``A``, ``B`` ..., or a list of
        them, of which the answer may be the number, and a ``hint`` become part of the question.
    context
        For the folder of its pictures.

    Yields
    ------
    Entry
        The sample; any other keys are kept.

    Source: VQAv2 (arXiv:1612.00837), GQA (arXiv:1902.09506), LRV (arXiv:2306.14565), VLMEvalKit's TSV files.

    Examples
    --------
    >>> made = next(read({"question": "What bird?", "answer": ["jay", "jay", "tit"], "imageId": "550"}, None))
    >>> made.turns, made.media[0].path
    ([('human', '<image>\nWhat bird?'), ('gpt', 'jay')], '550.jpg')
    """
    key = next((key for key in ANSWERS if not is_nothing(record.get(key))), ANSWERS[0])
    options, listed = _options(record)
    answer = record.get(key)
    if listed is not None and type(answer) is int:
        answer = list(options)[answer] if 0 <= answer < len(options) else None
    weights = record.get("answer_weights")
    if isinstance(answer, list) and isinstance(weights, list) and len(weights) == len(answer) > 0:
        answer = answer[max(range(len(answer)), key=lambda at: weights[at] if _is_number(weights[at]) else -1.0)]
    turns = [{"from": "human", "value": _asked(record, options)}, {"from": "gpt", "value": _most_given(answer)}]
    used = [QUESTION, key, *([listed] if listed else options), *([HINT] if isinstance(record.get(HINT), str) else [])]
    record, problem = _of_table(record) if "index" in record else (record, None)
    if any(not is_nothing(record.get(name)) for name in MEDIA) or alike(record):
        made = read_conversation(record, context, turns, used)
    else:
        picture = picture_by_number(record, context)
        problem = problem or (None if picture else "L07")  # a question about a picture that is not known is never text
        made = read_conversation(record, context, turns, used, shown=[picture] if picture else None)
    yield made._replace(problem=problem, raw=dump(record)) if problem and not made.problem else made


def _options(record: Mapping[str, Any]) -> tuple[dict[str, str], str | None]:
    """Return the options of a question by their letters, and the key that lists them; none if each has a key."""
    for name in LISTED:
        given = record.get(name)
        if isinstance(given, dict) and given and all(isinstance(one, str) for one in (*given, *given.values())):
            return dict(given), name
        if isinstance(given, list) and 1 < len(given) <= len(OPTIONS) and all(isinstance(one, str) for one in given):
            bare = [one.removeprefix(f"{letter}. ") for letter, one in zip(OPTIONS, given, strict=False)]
            return dict(zip(OPTIONS, bare, strict=False)), name
    return {one: record[one] for one in OPTIONS if isinstance(record.get(one), str) and record[one]}, None


def _is_number(value: object) -> bool:
    """Return whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_table(record: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Return a row of VLMEvalKit's tables with its pictures as a list, and the problem if they are none.

    A cell holds base64, a list of such, or the number of the row whose picture is meant, which is not known here.
    """
    cell = record.get("image")
    if not isinstance(cell, str) or is_nothing(cell) or names_a_picture(cell):
        return record, None
    if cell.startswith("["):
        try:
            return {**record, "image": ast.literal_eval(cell)}, None
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return record, "L08"
    if not is_base64(cell):
        return record, "L07" if cell.isdigit() else "L08"
    named = record.get("image_path")
    return {**record, "image": {"base64": cell, "path": named if isinstance(named, str) else None}}, None


def picture_by_number(  # noqa: PLR0911  one for each kind of name
    record: Mapping[str, Any], context: Context | None
) -> Medium | None:
    """Return the picture that a record names by a number, under the true name of its file; None if it names none.

    A name in `file_name` comes first, which lists of COCO's pictures give. A `data_subtype` makes it a name of 2014; an
    `image_id` that is a text is Visual Genome's, and any other one of COCO's 2017.
    """
    root = None if context is None else context.root
    name = record.get("file_name")
    if isinstance(name, str) and name:
        return with_size(Medium(path=name, root=root), [record.get("width"), record.get("height")])
    if "imageId" in record and isinstance(record["imageId"], str | int):
        return Medium(path=f"{record['imageId']}.jpg", root=root)
    given = record.get("image_id")
    number = image_number(given)
    if number is None:
        if isinstance(given, str) and given.strip() and not is_broken(given):  # TextVQA's files are called by their ids
            return Medium(path=given if names_a_picture(given) else f"{given}.jpg", root=root)
        return None
    if isinstance(record.get("data_subtype"), str):
        return Medium(path=f"COCO_{record['data_subtype']}_{number:012}.jpg", root=root)
    if isinstance(given, str) and len(given) < 12:  # noqa: PLR2004  COCO's digits
        return Medium(path=f"vg/{number}.jpg" if context is None else context.images.path(number), root=root)
    return Medium(path=f"{number:012}.jpg", root=root)


def _asked(record: Mapping[str, Any], options: Mapping[str, str]) -> Any:
    """Return the question with its hint before it and its options after it."""
    question = record.get(QUESTION)
    if not isinstance(question, str):
        return question
    hint = [record[HINT]] if isinstance(record.get(HINT), str) and record[HINT] else []
    return "\n".join([*hint, question, *(f"{letter}. {text}" for letter, text in options.items())])


def _most_given(answer: Any) -> Any:
    """Return the most frequent of several answers, the first of those that are equally frequent."""
    if isinstance(answer, list):
        texts = [one.get("answer") if isinstance(one, dict) else one for one in answer]
        known = [one for one in texts if isinstance(one, str)]
        return Counter(known).most_common(1)[0][0] if known else None
    return str(answer) if type(answer) in (int, float) else answer
