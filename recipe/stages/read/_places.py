"""Where the bytes of a picture lie in a file of samples: in which record under which key, or from which byte on."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from recipe.errors import InputError

_DATA = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_STEP = re.compile(r"~([01])")


class Place(NamedTuple):
    """One place; in the order of these numbers a file is read once."""

    start: int  # number of the record in the file, or the first byte
    length: int = -1  # bytes, or -1 for a record
    pointer: str = ""  # RFC 6901: the keys that lead to it in the record

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read ``record:N:POINTER`` or ``bytes:START:LENGTH``, as `Medium.place` holds it.

        Examples
        --------
        >>> Place.parse("record:7:/images/0"), Place.parse("bytes:512:90")
        (Place(start=7, length=-1, pointer='/images/0'), Place(start=512, length=90, pointer=''))
        """
        kind, _, rest = text.partition(":")
        number, _, what = rest.partition(":")
        try:
            if kind == "record":
                return cls(int(number), pointer=what if what[:1] in ("/", "") else f"/{what}")
            if kind == "bytes":
                return cls(int(number), int(what))
        except ValueError:
            pass
        raise InputError(
            f"expected a place as record:N:/key or bytes:START:LENGTH, got {text!r:.80}; read the pool again"
        )

    def keys(self) -> list[str]:
        """Return the keys that lead to it in its record.

        Examples
        --------
        >>> Place.parse("record:7:/a~1b/0").keys()
        ['a/b', '0']
        """
        return [_STEP.sub(lambda found: "/" if found[1] == "1" else "~", key) for key in self.pointer.split("/")[1:]]


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
    r"""Return the bytes of a picture that a record holds: a data URI, base64, or an object with either under `bytes`.

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
        value = next((value[key] for key in ("bytes", "base64", "data", "url") if value.get(key)), None)
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
