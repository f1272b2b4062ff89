"""Where the bytes of a picture lie in a file of samples: in which record under which key, or from which byte on."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from recipe.errors import InputError

BESIDE = "@"  # with which a place in another file begins: @FILE:KEY of an object, or @FILE:PLACE
_DATA = re.compile(r"data:[^,]{0,190};base64,", re.IGNORECASE)
_KEYS = ("bytes", "base64", "data", "path", "url", "image", "video", "audio", "file", "uri")  # as of `_media`
_STEP = re.compile(r"~([01])")


class Place(NamedTuple):
    """One place; in the order of these numbers a file is read once."""

    start: int  # first record or byte of the range of the file in which it lies, as its container counts them; or 0
    end: int  # of the range; -1 for the whole file
    number: int  # of the record in its range, from 0; of bytes without a record, how many they are
    pointer: str | None = None  # the keys that lead to it in the record: with slashes as RFC 6901, else with dots

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read ``record:N:KEYS``, ``:N:KEYS``, ``START-END:N:KEYS`` or ``bytes:START:LENGTH``.

        Raises
        ------
        InputError
            If it is none of these.

        Examples
        --------
        >>> Place.parse("record:7:/images/0"), Place.parse("30-90:7:image")
        (Place(start=0, end=-1, number=7, pointer='/images/0'), Place(start=30, end=90, number=7, pointer='image'))
        """
        try:
            kind, number, keys = text.split(":", 2)
            if kind == "bytes":
                return cls(int(number), -1, int(keys))
            start, _, end = kind.replace("record", "").partition("-")
            return cls(int(start or 0), int(end) if end else -1, int(number), keys)
        except ValueError:
            what = f"expected a place as record:N:/key or bytes:START:LENGTH, got {text!r:.80}"
            raise InputError(f"{what}; read the pool again") from None

    def counted(self) -> Place:
        """Return the same place by the number of its record in the file, where ranges are counted in records."""
        return self if self.end < 0 else Place(0, -1, self.start + self.number, self.pointer)

    def keys(self) -> list[str]:
        """Return the keys that lead to it in its record.

        Examples
        --------
        >>> Place.parse("record:7:/a~1b/0").keys(), Place.parse(":7:images.0").keys()
        (['a/b', '0'], ['images', '0'])
        """
        pointer = self.pointer or ""
        if not pointer.startswith("/"):
            return pointer.split(".") if pointer else []
        return [_STEP.sub(lambda found: "/" if found[1] == "1" else "~", key) for key in pointer.split("/")[1:]]

    def __str__(self) -> str:
        where = "" if self.end < 0 else f" of {self.start:,} to {self.end:,}"
        return f"byte {self.start:,}" if self.pointer is None else f"record {self.number:,}{where}, key {self.pointer}"


def reading_order(text: str) -> tuple[str, Place]:
    """Return the key by which places are sorted so that each file is read once: those in other files come last.

    Examples
    --------
    >>> sorted(["record:10:image", "record:9:image"], key=reading_order)
    ['record:9:image', 'record:10:image']
    """
    return (text, Place(0, -1, 0)) if text.startswith(BESIDE) else ("", Place.parse(text))


def in_record(number: int, *keys: str | int) -> str:
    """Write the place under some keys of a record.

    Parameters
    ----------
    number
        Of the record in its file, from 0.
    *keys
        Names, and numbers in lists.

    Returns
    -------
    str
        For `Place.parse`.

    Examples
    --------
    >>> in_record(7, "images", 0), in_record(0, "a/b")
    ('record:7:/images/0', 'record:0:/a~1b')
    """
    return f"record:{number}:{''.join(f'/{escaped(key)}' for key in keys)}"


def escaped(key: str | int) -> str:
    """Spell a key as a part of a pointer."""
    return str(key).replace("~", "~0").replace("/", "~1")


def value_at(record: Any, keys: list[str]) -> Any:
    """Return the value to which some keys lead in plain Python; None where one of them is missing.

    Examples
    --------
    >>> value_at({"images": [{"bytes": "eA=="}]}, ["images", "0", "bytes"])
    'eA=='
    """
    for key in keys:
        if isinstance(record, Mapping):
            record = record.get(key)
        elif isinstance(record, list) and key.isdecimal() and int(key) < len(record):
            record = record[int(key)]
        else:
            return None
    return record


def decoded(value: object) -> bytes | None:
    r"""Return the bytes of a picture that a record holds: a data URI, base64, or an object with either.

    Parameters
    ----------
    value
        Plain Python.

    Returns
    -------
    bytes or None
        None if it is nothing of that kind.

    Examples
    --------
    >>> decoded("data:image/png;base64,iVBORw=="), decoded({"bytes": "iVBO Rw=="}), decoded("a.jpg")
    (b'\x89PNG', b'\x89PNG', None)
    """
    if isinstance(value, Mapping):
        value = next((value[key] for key in _KEYS if value.get(key)), None)
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        return None
    if head := _DATA.match(value):
        value = value[head.end() :]
    try:
        return base64.b64decode("".join(value.split()), validate=True) or None
    except (binascii.Error, ValueError):
        return None
