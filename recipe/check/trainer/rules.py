"""The rules for a record, each a small function; the table at the end gives them their codes.

A rule takes one decoded record and yields the turns that break it, counted from 0, or None for the whole record.

Source: LLaVA v1.5, `llava/train/train.py`, `llava/train/llava_trainer.py`, `llava/conversation.py` (template v1).
"""

from __future__ import annotations

import re
from functools import partial
from itertools import islice, pairwise
from math import isnan
from typing import TYPE_CHECKING, Any

from recipe.check.trainer.images import outside
from recipe.check.trainer.tokens import ESTIMATE, Tokens, tokens_by
from recipe.data.tokens import IMAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    Record = dict[str, Any]
    Places = Iterator[int | None]
    Rule = Callable[[Record], Places]

CONTEXT = 2048  # model_max_length in v1_5/finetune.sh
PATCHES = 576  # tokens of one image: (336 / 14) squared
SPEAKERS = ("human", "gpt")
NOTHING = ("", "none", "null", "nan")  # in lower case, in the place of an image

_MARK = re.compile(r"<(?:image|video)>", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TEMPLATE = ("</s>", "<unk>", " ASSISTANT: ")


def is_nothing(image: object) -> bool:
    """Return whether what stands under `image` names nothing: null, NaN, "", "none", "null", "nan", or a list of these.

    Source: the loader of Cambrian (`train_fsdp.py`), whose files have text-only records with such images.

    Examples
    --------
    >>> [is_nothing(image) for image in (None, " None", float("nan"), [], [None, ""], "nan.jpg", 0)]
    [True, True, True, True, True, False, False]
    """
    if isinstance(image, list):
        return all(map(is_nothing, image))
    if isinstance(image, str):
        return image.strip().lower() in NOTHING
    return image is None or (isinstance(image, float) and isnan(image))


def _texts(record: Record) -> list[str]:
    """Return the text of each turn."""
    return [turn["value"] for turn in record["conversations"]]


def _trained(record: Record) -> list[tuple[int, str, str]]:
    """Return number, speaker and text of the turns that are trained: a leading gpt turn is dropped."""
    turns = [(i, turn.get("from"), turn["value"]) for i, turn in enumerate(record["conversations"])]
    return turns[1:] if turns[0][1] == "gpt" else turns


def _no_string(record: Record) -> Places:
    """L05: conversations is no list, or a turn has no text."""
    turns = record.get("conversations") if isinstance(record, dict) else None
    if not isinstance(turns, list):
        yield None
        return
    yield from (i for i, t in enumerate(turns) if not isinstance(t, dict) or not isinstance(t.get("value"), str))


def _no_turns(record: Record) -> Places:
    """L09: conversations is empty."""
    if not record["conversations"]:
        yield None


def _no_words(record: Record) -> Places:
    """L06: the sampler counts the words of a record, `<image>` too, and refuses a zero."""
    if not any(text.split() for text in _texts(record)):
        yield None


def _image_unnamed(record: Record) -> Places:
    """L07: the image is not a file name."""
    if "image" in record and (not isinstance(record["image"], str) or is_nothing(record["image"])):
        yield None


def _image_at_fault(faults: Mapping[str, str], record: Record) -> Places:
    """L08: the image folder has no such file, or it cannot be decoded."""
    image = record.get("image")
    if isinstance(image, str) and image in faults:
        yield None


def _unknown_speaker(record: Record) -> Places:
    """L10: a speaker the template does not know."""
    yield from (i for i, turn in enumerate(record["conversations"]) if turn.get("from") not in SPEAKERS)


def _same_speaker(record: Record) -> Places:
    """L11: the speaker of the turn before speaks again."""
    speakers = [turn.get("from") for turn in record["conversations"]]
    yield from (i for i, (a, b) in enumerate(pairwise(speakers), 1) if a == b and a in SPEAKERS)


def _half_character(record: Record) -> Places:
    """L12: half of a surrogate pair, which the tokenizer cannot encode."""
    yield from (i for i, text in enumerate(_texts(record)) if _SURROGATE.search(text))


def _image_again(record: Record) -> Places:
    """L13: a second turn shows the image."""
    if "image" in record:
        yield from islice((i for i, _, text in _trained(record) if IMAGE in text), 1, None)


def _image_unseen(record: Record) -> Places:
    """W01: no turn shows the image."""
    if "image" in record and not any(IMAGE in text for _, _, text in _trained(record)):
        yield None


def _mark_as_text(record: Record) -> Places:
    """W02: an image mark without an image is trained as text."""
    real = {IMAGE} if "image" in record else set()
    yield from (i for i, text in enumerate(_texts(record)) if not real.issuperset(_MARK.findall(text)))


def _leading_answer(record: Record) -> Places:
    """W03: one leading gpt turn is dropped; of two the second stops the run."""
    speakers = [turn.get("from") for turn in record["conversations"]]
    if speakers[0] == "gpt" and speakers[1:2] != ["gpt"]:
        yield 0


def _image_misplaced(record: Record) -> Places:
    """W04: the mark is repeated, inside a text, or after the first question; at that question's end it is harmless."""
    turns = _trained(record) if "image" in record else []
    for i, _, text in (turn for turn in turns if IMAGE in turn[2]):
        stripped = text.strip()
        at_edge = stripped.startswith(IMAGE) or stripped.endswith(IMAGE)
        if i != turns[0][0] or stripped.count(IMAGE) > 1 or not at_edge:
            yield i
        return  # a second turn that shows the image is L13


def _no_last_answer(record: Record) -> Places:
    """W05: what is trained ends with a question, or is nothing."""
    turns = _trained(record)
    if not turns or turns[-1][1] == "human":
        yield len(record["conversations"]) - 1


def _empty_turn(record: Record) -> Places:
    """W06: an empty turn shifts the template, and every label is masked; an image mark alone is not empty."""
    yield from (i for i, _, text in _trained(record) if not text.strip())


def _too_long(tokens: Tokens, record: Record) -> Places:
    """W07: the tail beyond the context is cut; a question that is too long alone is W10."""
    texts, room = _texts(record), CONTEXT - PATCHES * ("image" in record)
    if tokens.most * sum(map(len, texts)) <= room:  # most records end here
        return
    if sum(map(tokens.count, texts)) > room and not list(_question_too_long(tokens, record)):
        yield None


def _outside_path(record: Record) -> Places:
    """W08: the path leads out of the image folder, or has backslashes, which only Windows reads as folders."""
    image = record.get("image")
    if isinstance(image, str) and image and ("\\" in image or outside(image)):
        yield None


def _template_markup(record: Record) -> Places:
    """W09: the text, with the template's spaces around it, contains a separator of the template."""
    yield from (i for i, text in enumerate(_texts(record)) if any(mark in f" {text} " for mark in _TEMPLATE))


def _question_too_long(tokens: Tokens, record: Record) -> Places:
    """W10: after this question no room is left for an answer."""
    for i, speaker, text in _trained(record):
        if speaker == "human" and tokens.most * len(text) > CONTEXT and tokens.count(text) > CONTEXT:
            yield i


RULES: dict[str, Rule] = {  # in the order in which they are checked
    "L05": _no_string,
    "L09": _no_turns,
    "L06": _no_words,
    "L07": _image_unnamed,
    "L10": _unknown_speaker,
    "L11": _same_speaker,
    "L12": _half_character,
    "L13": _image_again,
    "W01": _image_unseen,
    "W02": _mark_as_text,
    "W03": _leading_answer,
    "W04": _image_misplaced,
    "W05": _no_last_answer,
    "W06": _empty_turn,
    "W07": partial(_too_long, ESTIMATE),
    "W08": _outside_path,
    "W09": _template_markup,
    "W10": partial(_question_too_long, ESTIMATE),
}


def rules_with(faults: Mapping[str, str], tokenizer: str | PathLike[str] | None) -> dict[str, Rule]:
    """Return all rules for one check.

    Parameters
    ----------
    faults
        Image -> why it cannot be used, for L08; empty where no folder of images is given.
    tokenizer
        The model that counts tokens for W07 and W10; None to estimate them.

    Returns
    -------
    dict
        Code -> rule.

    Raises
    ------
    MissingExtra
        If sentencepiece is needed and not installed.
    InputError
        If the tokenizer is no SentencePiece model.
    """
    rules = RULES | {"L08": partial(_image_at_fault, faults)}
    if tokenizer is None:
        return rules
    tokens = tokens_by(tokenizer)
    return rules | {"W07": partial(_too_long, tokens), "W10": partial(_question_too_long, tokens)}


def problems_of(record: Record, rules: Mapping[str, Rule]) -> Iterator[tuple[str, int | None]]:
    """Check one rule after the other; where a record has no valid turns, the first such rule is the last."""
    for code, rule in rules.items():
        found = False
        for turn in rule(record):
            found = True
            yield code, turn
        if found and code in ("L05", "L06", "L09"):
            return
