"""What every reader makes of a record: turns, image, and unknown keys."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from recipe.data.media import Medium

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from recipe.stages.read._images import Images

    Turns = list[tuple[str, str]]  # speaker and text

TOKEN = "<image>"  # noqa: S105  LLaVA replaces it with the patches of the image
SPEAKERS = {"human": "human", "gpt": "gpt"}
_encode = msgspec.json.Encoder().encode


class Entry(NamedTuple):
    """One entry of a file: a sample, or a record that is not a valid one.

    The key is a hash of image and turns; of an entry that cannot be a sample it is a hash of `raw` (see `dump`).
    """

    turns: Turns
    image: str | None = None
    id: str | None = None  # None: the sample's key becomes its id
    extra: str | None = None
    task_name: str | None = None
    problem: str | None = None
    raw: bytes | None = None
    media: tuple[Medium, ...] | None = None  # all it shows, in place of `image`; None: a picture by its path, or none
    frame: str | None = None  # of recipe.data.media.FRAMES
    ratings: list[dict[str, int | None]] | None = None  # of each question, by recipe.data.media.RATINGS
    noted: tuple[str, ...] = ()  # what reading it changed or could not know, for the label `flags`


class Context(NamedTuple):
    """What a reader may know besides the record."""

    path: Path
    boxes: Literal["square", "keep"]
    suffix_seed: int
    images: Images
    root: str | None = None  # the folder that a list of files names for the pictures of this one
    where: Where | None = None
    beside: Mapping[str, Any] | None = None  # what a file beside it says of its records

    @property
    def listed(self) -> bool:
        """Whether a list of files says more of this one than its path."""
        return self.root is not None

    def at(self, place: str) -> str | None:
        """Return where in the source something lies that stands in the record."""
        return None if self.where is None else f"record:{self.where.first() + self.where.number}:/{place}"


class Where:
    """Where the current record lies in its file: its number in its piece, and that of the piece's first record."""

    def __init__(self, first: Callable[[], int]) -> None:
        self.first, self.number = first, 0


def read_turns(
    conversations: object, speakers: Mapping[str, str] = SPEAKERS
) -> tuple[Turns, list[dict[str, Any]] | None, str | None]:
    """Read a list of ``{"from", "value"}``.

    Parameters
    ----------
    conversations
        Any JSON value.
    speakers
        Name in the file to name in the pool.

    Returns
    -------
    turns
        Speaker and text; empty if there is a problem.
    others
        One object a turn with its unknown keys, or None if no turn has any.
    problem
        L05, L09, L10 or L12, or None.
    """
    if not isinstance(conversations, list):
        return [], None, "L05"
    if not conversations:
        return [], None, "L09"
    turns: Turns = []
    others: list[dict[str, Any]] | None = None
    for i, turn in enumerate(conversations):
        problem = _turn_problem(turn, speakers)
        if problem:
            return [], None, problem
        turns.append((speakers[turn["from"]], turn["value"]))
        if len(turn) > 2:  # noqa: PLR2004  more than from and value
            others = others or [{} for _ in conversations]
            others[i] = {key: turn[key] for key in turn if key not in ("from", "value")}
    return turns, others, None


def _turn_problem(turn: object, speakers: Mapping[str, str]) -> str | None:
    """Return the code of the problem of a turn, or None."""
    if not isinstance(turn, dict):
        return "L05"
    if not isinstance(turn.get("from"), str) or turn["from"] not in speakers:
        return "L10"
    value = turn.get("value")
    if not isinstance(value, str):
        return "L05"
    return "L12" if is_broken(value) else None


def pack_extra(extra: Mapping[str, Any]) -> str | None:
    """Write the keys of a record that are not in the schema as a JSON object.

    ``record | json.loads(extra)`` restores the record, except for two keys: ``id`` holds the original of an id that is
    not a string, and ``conversations`` a list with one object per turn, whose keys belong to that turn.

    Examples
    --------
    >>> pack_extra({"model": ""})
    '{"model":""}'
    """
    kept = {key: value for key, value in extra.items() if not _holds_media(value)}
    return json.dumps(kept, separators=(",", ":"), default=_named) if kept else None


def _holds_media(value: object) -> bool:
    """Return whether a value is a picture that a container gave, or a list of such, which no JSON can hold."""
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, tuple) and hasattr(one, "_fields")


def text_id(value: object) -> str:
    """Return an id as a string: a string as it is, anything else as its JSON text."""
    return value if isinstance(value, str) and not is_broken(value) else json.dumps(value, separators=(",", ":"))


def is_broken(text: str) -> bool:
    """Return whether a text contains half of a surrogate pair, which UTF-8 files and tokenizers do not accept."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def in_front(turns: Turns) -> Turns:
    r"""Put `<image>` once at the start of the first human turn, as LLaVA's own loader does; idempotent.

    Parameters
    ----------
    turns
        Turns of a record that has an image. Answers are left alone.

    Returns
    -------
    list
        The same list where nothing had to change.

    Source: ``preprocess_multimodal`` in ``llava/train/train.py`` of LLaVA v1.5.

    Examples
    --------
    >>> in_front([("human", "Who is it?\n<image>"), ("gpt", "Nobody.")])
    [('human', '<image>\nWho is it?'), ('gpt', 'Nobody.')]
    """
    first = next((i for i, (speaker, _) in enumerate(turns) if speaker == "human"), None)
    marks = sum(value.count(TOKEN) for speaker, value in turns if speaker == "human")
    if first is None or (marks == 1 and turns[first][1].startswith(TOKEN + "\n")):
        return turns
    bare = [(speaker, _without_mark(value) if speaker == "human" else value) for speaker, value in turns]
    bare[first] = ("human", f"{TOKEN}\n{bare[first][1]}")
    return bare


def is_harmless(turns: Turns) -> bool:
    """Return whether `<image>` occurs once in all human turns, in the first: LLaVA then moves it to the front."""
    marks = [value.count(TOKEN) for speaker, value in turns if speaker == "human"]
    return bool(marks) and marks[0] == sum(marks) == 1


def _without_mark(value: str) -> str:
    """Remove every `<image>` from a text, and then the white space around the rest; O(n)."""
    if TOKEN not in value:
        return value
    value = value.replace(TOKEN, "")
    if TOKEN in value:  # removing one may create another, as in <im<image>age>, to any depth
        mark, kept = list(TOKEN), list[str]()
        for letter in value:
            kept.append(letter)
            if letter == mark[-1] and kept[-len(mark) :] == mark:
                del kept[-len(mark) :]
        value = "".join(kept)
    return value.strip()


def first_image(media: Sequence[Medium]) -> str | None:
    """Return the name of the first picture, or None."""
    return next((one.name for one in media if one.kind == "image"), None)


def identity_of(media: Sequence[Medium]) -> str | list[tuple[str, str]] | None:
    """Return what identifies the media of a sample: the name of a picture, or the kind and the name of each."""
    if not media:
        return None
    if len(media) == 1 and media[0].kind == "image":
        return media[0].name
    return [(one.kind, one.name) for one in media]


def key_of(image: str | list[tuple[str, str]] | None, turns: Turns) -> str:
    r"""Return the identity of a sample: blake2b-128 of image and turns, `<image>` in front of those with one image.

    Examples
    --------
    >>> key_of("a.jpg", [("human", "Who?\n<image>")]) == key_of("a.jpg", [("human", "<image>\nWho?")])
    True
    """
    return digest(_encode((image, in_front(turns) if isinstance(image, str) else turns)))


def digest(content: bytes) -> str:
    """Hash content to 32 hexadecimal digits."""
    return blake2b(content, digest_size=16).hexdigest()


def dump(value: object) -> bytes:
    """Write a JSON value so that the order of its keys does not matter; other values by their type, media by name."""
    return json.dumps(_by_names(value), sort_keys=True, default=_named).encode()


def _by_names(value: Any) -> Any:
    """Return a value with the name of each medium in it, whose place differs with the order of the records."""
    if isinstance(value, Medium):
        return value.name
    if isinstance(value, dict):
        return {key: _by_names(one) for key, one in value.items()}
    return [_by_names(one) for one in value] if isinstance(value, list) else value


def _named(value: object) -> str:
    """Return bytes by their hash, and anything else that JSON has not, as a date, as a text."""
    return digest(bytes(value)) if isinstance(value, bytes | bytearray) else str(value)
