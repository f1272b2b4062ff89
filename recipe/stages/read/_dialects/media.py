"""Whatever a record has where a picture should be -> a picture, a video or a sound: by its path, its URL, its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recipe.data.media import MARKS, Medium, below
from recipe.data.signatures import UNKNOWN, medium_of
from recipe.stages.read._containers.places import decoded
from recipe.stages.read._dialects.marks import by_marks, is_by_marks
from recipe.stages.read._entry import is_broken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recipe.data.media import Kind
    from recipe.stages.read._entry import Context

KEYS: dict[str, Kind] = {  # of a record, and what lies under them; of a kind the key with the most counts
    **dict.fromkeys(("image", "images", "image_path", "image_paths", "img_path", "image_file", "img"), "image"),
    **dict.fromkeys(("image_url", "image_urls", "image_base64", "image_base64_str", "picture", "pictures"), "image"),
    **dict.fromkeys(("video", "videos", "video_path"), "video"),
    **dict.fromkeys(("audio", "audios", "audio_path"), "audio"),
}
NOTHING = (
    "",
    "none",
    "null",
    "nan",
)  # names in lower case that stand for no picture (Cambrian's loader tests for them)
_BYTES = ("bytes", "base64", "data")
_NAMES = ("path", "url", "image", "video", "audio", "file", "uri")
_DATA_URI = re.compile(r"data:([a-z]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,", re.IGNORECASE)
_FIRST = ("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "Qk", "SUkq", "TU0A")  # what the base64 of a picture begins with
_SHORTEST = 64  # characters of a base64 text that is taken for a picture without being called so


class NoMedium(ValueError):  # noqa: N818  named after what came
    """What stands where a picture should be is none; the argument is the code of the problem."""


def is_nothing(value: object) -> bool:
    """Return whether a value stands for no picture: null, an empty text or list, a list of such, "none" or "nan".

    Examples
    --------
    >>> is_nothing([]), is_nothing([None, ""]), is_nothing("None"), is_nothing(float("nan")), is_nothing("a.jpg")
    (True, True, True, True, False)
    """
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  NaN is no number that equals itself
        return True
    if isinstance(value, str):
        return value.strip().lower() in NOTHING
    return isinstance(value, list | tuple) and not isinstance(value, Medium) and all(map(is_nothing, value))


def media_in(record: Mapping[str, Any], context: Context | None) -> tuple[list[Medium], set[str]]:
    """Return all that a record shows by its own keys, in their order, and these keys.

    Parameters
    ----------
    record
        One record; the keys are those of `KEYS`.
    context
        For the folder that its paths are in; None for none.

    Returns
    -------
    media
        Pictures, videos and sounds.
    keys
        What they were found under, or that stand for nothing.

    Raises
    ------
    NoMedium
        If something else stands under such a key.
    """
    found: dict[Kind, list[Medium]] = {}
    keys: set[str] = set()
    for key, kind in KEYS.items():
        if key not in record:
            continue
        value = record[key]
        if is_nothing(value):
            keys.add(key)
            continue
        if key in _OFTEN_OTHER and not _names_a_file(value):
            continue
        named = list(read_media(value, kind, context, key))
        if len(named) > len(found.get(kind, ())):  # `image` may repeat the first of `images`
            found[kind] = named
        keys.add(key)
    if not found:
        for key in alike(record):
            for one in read_media(record[key], "image", context, key):
                kind = one.kind if one.path is None else _KIND_OF.get(one.path.rpartition(".")[2].lower(), one.kind)
                found.setdefault(kind, []).append(one._replace(kind=kind))
            keys.add(key)
    return [medium for kind in MARKS for medium in found.get(kind, [])], keys  # type: ignore[call-overload]


def alike(record: Mapping[str, Any]) -> list[str]:
    """Return keys that are none of `KEYS`, and under which the file of a picture is named, or lies by its bytes.

    Examples
    --------
    >>> alike({"figure": "a.jpg", "image_size": 7, "url": "https://a.org/b", "frames": ["1.png", "2.png"]})
    ['figure', 'frames']
    """
    return [key for key, value in record.items() if key not in KEYS and key not in NO_PICTURE and _is_file(value)]


def names_a_picture(text: str) -> bool:
    """Return whether a text is the name of a picture's, a video's or a sound's file and nothing else.

    Examples
    --------
    >>> names_a_picture("a/b.jpg"), names_a_picture("see b.jpg"), names_a_picture("A jay.")
    (True, False, False)
    """
    return text[-5:].rpartition(".")[2].lower() in _KIND_OF and len(text) < _LONGEST and _SPACE.search(text) is None


def _is_file(value: object) -> bool:
    """Return whether a value is what a container gives for a picture, or names the file of one; or a list of such."""
    if isinstance(value, Medium):
        return True
    if isinstance(value, list):
        return bool(value) and all(not isinstance(one, list) and _is_file(one) for one in value)
    return isinstance(value, str) and names_a_picture(value)


NO_PICTURE = {"id", "idx", "sample_id", "uid", "question_id", "source", "data_source", "dataset", "model", "task_name"}
ENDING = r"(?i)\.(?:jpe?g|png|gif|webp|bmp|tiff?|mp4|avi|mov|mkv|webm|wav|mp3|flac|ogg)$"
_LONGEST = 1000  # characters of a path
_SPACE = re.compile(r"\s")
_KIND_OF: dict[str, Kind] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff"), "image"),
    **dict.fromkeys(("mp4", "avi", "mov", "mkv", "webm"), "video"),
    **dict.fromkeys(("wav", "mp3", "flac", "ogg"), "audio"),
}
_OFTEN_OTHER = ("audio", "img", "picture", "pictures")  # keys that may hold something else than the name of a file


def _names_a_file(value: Any) -> bool:
    """Return whether a value looks like what this module reads."""
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, str | dict | bytes | Medium)


def read_media(value: Any, kind: Kind, context: Context | None, place: str) -> Iterator[Medium]:
    """Yield what a value names: one path, one object, or a list of them.

    Parameters
    ----------
    value
        A path, a URL, a data URI, base64, an object with one of these or with bytes, or a list; or an object that names
        each by its mark, as ``{"<image_00>": path}`` (MiniCPM-V).
    kind
        What it should be.
    context
        As for `media_in`.
    place
        The keys that lead to it in the record, as ``"images/0"``.

    Raises
    ------
    NoMedium
        If it is none of these.
    """
    if isinstance(value, Medium):
        yield _with_root(value, context)
    elif isinstance(value, list | tuple) or is_by_marks(value):
        for key, one in by_marks(value) if isinstance(value, dict) else enumerate(value):
            if not is_nothing(one):
                yield from read_media(one, kind, context, f"{place}/{key}")
    elif isinstance(value, str):
        yield _of_text(value, kind, context, place)
    elif isinstance(value, bytes | bytearray):
        yield by_bytes(bytes(value), kind, context, place)
    elif isinstance(value, dict):
        yield _of_object(value, kind, context, place)
    else:
        raise NoMedium("L07")


def by_bytes(content: bytes, kind: Kind, context: Context | None, place: str, path: str | None = None) -> Medium:
    """Return a picture that is given by its bytes; raise if there are none."""
    if not content:
        raise NoMedium("L08")
    path = None if path is None or is_broken(path) else path
    made = medium_of(content, path=path, place=None if context is None else context.at(place))
    return made._replace(kind=kind) if made.ending == UNKNOWN else made


def _with_root(medium: Medium, context: Context | None) -> Medium:
    """Put a picture that its container gives below the folder that a list names for it."""
    root = None if context is None else context.root
    path = None if medium.path is None else below(None, medium.path)
    if medium.hash is not None and path is not None and is_broken(path):
        path = None
    return medium._replace(path=path, root=root if medium.hash is None else None)


def _of_text(text: str, kind: Kind, context: Context | None, place: str) -> Medium:
    """Read a path, a URL, a data URI or base64."""
    if _DATA_URI.match(text, 0, 200) or is_base64(text):
        return by_bytes(_decoded(text), kind, context, place)
    if is_broken(text):
        raise NoMedium("L12")
    return Medium(kind, below(None, text), None if context is None else context.root)


def is_base64(text: str) -> bool:
    """Return whether a text is the base64 of a picture and no path."""
    return (
        len(text) > _SHORTEST
        and text.startswith(_FIRST)
        and re.fullmatch(r"[A-Za-z0-9+/\s]+={0,2}\s*", text) is not None
        and not re.search(r"\.[A-Za-z]{3,4}$", text[-8:])
    )


def _decoded(text: str) -> bytes:
    """Decode a data URI, or base64 that begins a picture or was called so."""
    content = decoded(text)
    if content is None:
        raise NoMedium("L08")
    return content


def _of_object(value: dict[str, Any], kind: Kind, context: Context | None, place: str) -> Medium:
    """Read an object with bytes, with a path or URL, or with size."""
    content = next((value[key] for key in _BYTES if value.get(key)), None)
    if not content and any(value.get(key) in ("", b"") for key in _BYTES):
        raise NoMedium("L08")
    path = next((value[key] for key in _NAMES if isinstance(value.get(key), str) and value[key]), None)
    if isinstance(content, bytes | bytearray):
        made = by_bytes(bytes(content), kind, context, place, None if path is None else below(None, path))
    elif isinstance(content, str):
        made = by_bytes(_decoded(content), kind, context, place)
        made = made._replace(path=None if path is None or is_broken(path) else below(None, path))
    elif path is not None and "bytes" not in value:
        made = _of_text(path, kind, context, place)
    else:
        raise NoMedium("L07")
    return with_size(made, _size_of(value))


def _size_of(value: Mapping[str, Any]) -> Any:
    """Return what an object states as width and height."""
    inside = value.get("metadata") if isinstance(value.get("metadata"), dict) else value
    return value.get("image_wh") or [inside.get("width"), inside.get("height")]  # type: ignore[union-attr]


def with_size(medium: Medium, pair: Any) -> Medium:
    """Return a picture with a pair of numbers as its size; as it is if they are none, or it has one.

    Examples
    --------
    >>> with_size(Medium(path="a.jpg"), [640, 480]).width, with_size(Medium(path="a.jpg"), [640, None]).width
    (640, None)
    """
    if medium.width is not None or not isinstance(pair, list | tuple) or len(pair) != 2:  # noqa: PLR2004  width and height
        return medium
    if not all(type(one) is int and 0 < one < 2**31 for one in pair):
        return medium
    return medium._replace(width=pair[0], height=pair[1])
