"""Original records of LLaVA files: their bytes, found by source and number."""

from __future__ import annotations

import json
import mmap
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from recipe.data.media import spelled
from recipe.errors import ConfigError, InputError
from recipe.io.arrow import take
from recipe.io.hashes import check_unchanged
from recipe.mix.pictures import pictures_of, sizes_of
from recipe.mix.stored import Spool
from recipe.stages.read import expand
from recipe.stages.read._containers import JSON, container_of
from recipe.stages.read._detect import recognise
from recipe.stages.read._entry import is_harmless, key_of, read_turns
from recipe.stages.read._json import bytes_of, read_entries, read_span
from recipe.stages.read._json.cut import SHORTEST, cut
from recipe.stages.read.llava import is_usual
from recipe.stages.write._layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.stages.read import File

SHAPES = ("llava", "vision_flan")  # readers that make one sample from each record, in LLaVA's format
_STRANGE = re.compile(r"[^\x00-\x7f]+")


class Originals:
    """The records of the sources of a mix, as they are in their files.

    Parameters
    ----------
    pool
        n samples, read from the recipe's sources.
    plan
        Names the sources, and how they were read.

    Raises
    ------
    ConfigError
        If the recipe names no sources.
    """

    def __init__(self, pool: Pool, plan: Recipe) -> None:
        if not plan.sources:
            raise ConfigError("write.records=given: expected sources to take records from, got a pool in memory")
        files = expand([source.model_dump(exclude_none=True) for source in plan.sources])
        self.pool = pool
        self.files = {file.source: _Records(file, lenient=plan.read.lenient) for file in files}
        self.seen = [seen for name, seen in pool.checkpoint.sources.items() if name in self.files]
        check_unchanged(self.seen)

    def lines(self, rows: NDArray[np.int64]) -> Iterator[str | None]:
        """Return the record of each row as one line of ASCII JSON.

        Parameters
        ----------
        rows
            (k,) rows of the pool.

        Yields
        ------
        str or None
            The text of the file, with characters that are not ASCII escaped, and without line breaks and indentation
            between values. None for a sample that is not from a LLaVA file, or on whose original record LLaVA would
            fail: its `image` is no plain path, or `<image>` is not exactly once in the first question.

        Raises
        ------
        InputError
            If a file has changed since it was read.
        """
        for source, record, key, image in take(self.pool.rows, ("source", "record", "key", "image"), rows).iter_rows():
            yield self.files[source].line(record, key, image) if source in self.files else None
        check_unchanged(self.seen)


class _Records:
    """The records of one file; it is opened when the first is needed."""

    def __init__(self, file: File, *, lenient: bool) -> None:
        self.file, self.lenient = file, lenient

    @cached_property
    def _spans(self) -> NDArray[np.int64] | None:
        """(m, 2) begin and end of each record of a plain array; None for any other file."""
        with self.file.path.open("rb") as file:
            plain = file.read(64).lstrip()[:1] == b"["
        spans = cut(self.file.path, piece=SHORTEST) if plain and not self.lenient else None
        return None if spans is None else np.array(spans, dtype=np.int64)

    @cached_property
    def _bytes(self) -> mmap.mmap:
        """The file, memory-mapped: only the pages in use are read."""
        with self.file.path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @cached_property
    def _entries(self) -> Sequence[Any]:
        """All records of a file that cannot be split."""
        return read_entries(self.file.path, lenient=self.lenient)

    @cached_property
    def _in_shape(self) -> bool:
        """Whether each record of the file is one sample, and is JSON."""
        if container_of(self.file.path) != JSON:
            return False
        known: Any = self.file.format
        if known is None:
            some = self._entries if self._spans is None else self._first()
            known = recognise(some, self.file.path, lenient=self.lenient)
        return known in SHAPES

    def _first(self) -> Sequence[Any]:
        """Return the first records of a file that can be split."""
        pieces = cut(self.file.path, piece=1 << 20)
        return read_span(self.file.path, pieces[0]) if pieces else self._entries

    def line(self, record: int, key: str, image: str | None) -> str | None:
        """Return a record as one line, if it can be written unchanged."""
        if not self._in_shape:
            return None
        raw = self._raw(record)
        try:
            value = msgspec.json.decode(raw)  # strict: what other loaders refuse, as NaN, is made again
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            value = None
        if (
            not isinstance(value, dict) or "conversations" not in value
        ):  # a prompt and its target are not a LLaVA record
            return None
        if not is_usual(value, value.get("image", "")):
            return None
        turns = read_turns(value["conversations"])[0]
        if key_of(spelled(value["image"]) if value.get("image") else None, turns) != key:
            what = f"record {record} is not the one that was read"
            raise InputError(f"{self.file.path}: {what}; restore the file, or select again")
        valid = value.get("image") == image and (image is None or is_harmless(turns))
        return one_line(raw) if valid else None

    def _raw(self, record: int) -> bytes:
        """Return the bytes of a record."""
        if self._spans is None:
            return bytes_of(self._entries[record])
        start, end = self._spans[record].tolist()
        return self._bytes[start:end]


def one_line(raw: bytes) -> str:
    r"""Return a JSON value as one line of ASCII, otherwise unchanged.

    Examples
    --------
    >>> one_line('{"a":\n   "\u00e9  ",  "b": 1.50}'.encode())
    '{"a": "\\u00e9  ",  "b": 1.50}'
    """
    text = raw.decode().strip()
    if "\n" in text or "\r" in text:  # a string of JSON contains no line break, so all of them are between values
        text = " ".join(line.strip(" \t") for line in re.split(r"[\r\n]+", text))
    return text if text.isascii() else _STRANGE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def writing(pool: Pool, plan: Recipe, parts: Mapping[str, int], rows: NDArray[np.int64]) -> dict[str, Any]:
    """Return the settings by which a mix is written, for `recipe.stages.write.write_records`.

    Parameters
    ----------
    pool, plan
        As for `Originals`.
    parts
        Name of each part to the number of its picks.
    rows
        (k,) the picks.

    Returns
    -------
    dict
        Keyword arguments.
    """
    section, inside = plan.write, Spool(pool, rows, plan)
    return {
        "format": section.format,
        "ids": section.ids,
        "pack": section.pack,
        "max_tokens": section.max_tokens,
        "originals": Originals(pool, plan) if section.records == "given" else None,
        "pictures": pictures_of(plan, inside),
        "sizes": sizes_of(plan, inside),
        "layout": Layout(section.order, section.files, parts, plan.seed),
    }
