"""A piece of a file, and how every file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from recipe.io.hashes import Seen
    from recipe.stages.read._detect import Format
    from recipe.stages.read._json.cut import Span
    from recipe.stages.read._sources import File


class Options(NamedTuple):
    """How every file is read; as for `recipe.read_pool`."""

    boxes: Any
    suffix_seed: int
    image_token: Any
    lenient: bool
    images: Path | None
    boxes_frame: Any = None


class Piece(NamedTuple):
    """A range of a file, or all of it."""

    file: File
    beside: Path | None  # the file that it is read with: sizes or bytes of its pictures, or answers
    format: Format | None
    span: Span | None = None  # None: the whole file, of any kind
    seen: tuple[Seen, ...] = ()  # the file and the one beside it, as they were hashed
    mixed: bool = True  # whether its format was recognised, so that a record of another one is read as that
