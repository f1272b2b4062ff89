"""Types of knobs with their ranges: one table, which checks them and which the reference is made from.

A knob that is annotated with one of these is checked before anything is read; so is any other annotation of a function
of your own that pydantic understands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, AllowInfNan, Field, Strict
from pydantic_core import PydanticCustomError

BITS = 64  # of a number that NumPy, Polars and Arrow can hold
LONGEST = 200  # characters of a name: names become columns and parts of file names, which systems limit to 255 bytes


def _holdable(number: int) -> int:
    """Raise if an integer has more than 64 bits."""
    if not -(2 ** (BITS - 1)) <= number < 2 ** (BITS - 1):
        raise PydanticCustomError("too_long", "expected an integer of at most 64 bits")
    return number


def _plain(name: str) -> str:
    """Raise if a text cannot be a name: empty, too long, or with characters that cannot be printed."""
    if not name or len(name) > LONGEST or not name.isprintable():
        raise PydanticCustomError("no_name", f"expected a name of 1 to {LONGEST} printable characters")
    return name


def _part(name: str) -> str:
    """Raise if a text cannot be part of the name of a file."""
    if set(name) & set("/\\") or name in {".", ".."}:
        raise PydanticCustomError("no_name", "expected a name without slashes, which can be part of a file's name")
    if name.lower() in BESIDE:
        raise PydanticCustomError(
            "no_name", f"expected another name than {', '.join(BESIDE)}, as files beside a mix have"
        )
    return name


def _path(path: str | Path) -> str | Path:
    """Raise if a text cannot be a path."""
    if not str(path) or "\0" in str(path):
        raise PydanticCustomError("no_path", "expected a path, without a zero byte")
    return path


BESIDE = ("dataset_info", "manifest", "meta", "rejects", "scores", "stats")
_SIGNED = (Strict(), AfterValidator(_holdable))
_FINITE = (Strict(), AllowInfNan(False))

Integer = Annotated[int, *_SIGNED]
"""Any integer, as a seed."""
From0 = Annotated[int, *_SIGNED, Ge(0)]
"""A count that may be none."""
From1 = Annotated[int, *_SIGNED, Ge(1)]
From16 = Annotated[int, *_SIGNED, Ge(16)]
From2 = Annotated[int, *_SIGNED, Ge(2)]
"""A count of what is compared in pairs."""
Width = Annotated[int, *_SIGNED, Ge(1), Le(4096)]
"""Numbers of a vector."""
Columns = Annotated[int, *_SIGNED, Ge(1), Le(2**24)]
"""Hashed columns, each of which holds a vector."""
Switch = Annotated[bool, Strict()]
Number = Annotated[float, *_FINITE]
Weight = Annotated[float, *_FINITE, Ge(0)]
"""A weight or a least amount."""
Ratio = Annotated[float, *_FINITE, Ge(1)]
Positive = Annotated[float, *_FINITE, Gt(0)]
Share = Annotated[float, *_FINITE, Ge(0), Le(1)]
ShareBelow1 = Annotated[float, *_FINITE, Ge(0), Lt(1)]
Similarity = Annotated[float, *_FINITE, Gt(0), Le(1)]
Half = Annotated[float, *_FINITE, Ge(0), Le(0.5)]
Text = Annotated[str, Strict(), Field(min_length=1)]
Name = Annotated[str, Strict(), AfterValidator(_plain)]
PartName = Annotated[Name, AfterValidator(_part)]
FilePath = Annotated[str, AfterValidator(_path)]
AnyPath = FilePath | Path
Ids = Literal["string", "given"]
Placing = Literal["copy", "link"]  # how a file gets into another folder
"""How ids that were numbers are written."""
