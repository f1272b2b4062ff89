"""Files in, one pool out."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recipe.errors import ConfigError, InputError
from recipe.files import SIDE_DATA, expand
from recipe.pool import Pool
from recipe.read._entry import Context, Entry, dump
from recipe.read._images import Images
from recipe.read._json import Undecodable, decode, read_entries, text_of
from recipe.read._rows import Rows, stack
from recipe.rooms import find, names

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import polars as pl

    from recipe.files import File, Source
    from recipe.read._json import Slice

    Format = str | Callable[..., Any]


def read_pool(
    sources: Source | Sequence[Source],
    *,
    format: Format | None = None,  # noqa: A002  the word that users know
    boxes: Literal["square", "keep"] = "square",
    images: str | os.PathLike[str] | None = None,
    image_data: str | os.PathLike[str] | None = None,
    suffix_seed: int = 0,
    image_token: Literal["front", "given"] = "front",  # noqa: S107  no password
) -> Pool:
    r"""Read files, folders and globs into one pool; every entry becomes a row, and a broken one says what is wrong.

    Parameters
    ----------
    sources
        What to read, as for `recipe.files.expand`. A file holds a JSON array, JSON Lines, one record, or an object
        around an array or keyed by id; plain or gzip.
    format
        The reader for files that do not name their own: a file of this room or a callable ``(record, context) ->
        entries``. None recognises each file by its records.
    boxes
        ``"square"`` moves SVIT's boxes onto the padded square that LLaVA v1.5 feeds its model, ``"keep"`` keeps them.
    images
        The image folder, for sizes and paths that `image_data` does not know.
    image_data
        Visual Genome's `image_data.json`; None looks beside each SVIT file.
    suffix_seed
        Draws the sentence that is appended to SVIT's referring questions.
    image_token
        ``"front"`` writes `<image>` once, at the start of the first question; ``"given"`` leaves it where it is if it
        stands once in the first question, which trains the same.

    Returns
    -------
    Pool
        Rows in key order, the same for any order of files and records but for `record` and `order`. `record` counts the
        samples of a file, which in SVIT's files are more than the items.

    Raises
    ------
    InputError
        If a path does not exist, or a file cannot be read, is not JSON, or has no known format.
    ConfigError
        If a format or an option is unknown.

    Examples
    --------
    >>> import json, tempfile
    >>> turns = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A jay."}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "mix.json")
    ...     _ = file.write_text(json.dumps([{"id": "a", "image": "a.jpg", "conversations": turns}]))
    ...     read_pool(file).rows["turns"][0][0]["value"]
    '<image>\nWhat is it?'
    """
    if boxes not in ("square", "keep"):
        raise ConfigError(f"boxes: expected 'square' or 'keep', got boxes={boxes!r}")
    if image_token not in ("front", "given"):
        raise ConfigError(f"image_token: expected 'front' or 'given', got image_token={image_token!r}")
    folder = _existing(images, "images")
    side_data = _existing(image_data, "image_data")
    known: dict[Path | None, Images] = {}
    frames: list[pl.DataFrame] = []
    for file in expand(sources):
        beside = side_data or _beside(file.path)
        context = Context(file.path, boxes, suffix_seed, known.setdefault(beside, Images(beside, folder)))
        with _collector_off():
            frames.append(_read_file(file, format, context, Rows(file.source, image_token=image_token)))
    return Pool(stack(frames))


def _read_file(file: File, format: Format | None, context: Context, rows: Rows) -> pl.DataFrame:  # noqa: A002  as above
    """Read one file into its table."""
    entries = read_entries(file.path)
    asked = file.format or format
    read = find("read", asked) if asked else _recognise(entries, file.path)
    for record, entry in enumerate(entries):
        for found in _read_entry(entry, record, read, context):
            rows.add(found)
    return rows.frame()


def _read_entry(entry: Slice, record: int, read: Callable[..., Any], context: Context) -> Sequence[Entry]:
    """Decode one entry and hand it to the reader; what is no record becomes a row of its own."""
    try:
        value = decode(entry, context.path, record)
        if not isinstance(value, dict):
            return [Entry([], problem="not_a_record", raw=dump(value))]
        return list(read(value, context))
    except (Undecodable, RecursionError):
        return [Entry([], problem="bad_json", raw=text_of(entry).encode())]


def _recognise(entries: Sequence[Slice], path: Path) -> Callable[..., Any]:
    """Find the reader that knows the shape of the first record that any reader knows."""
    readers = {name: import_module(f"recipe.read.{name}") for name in names("read")}
    seen: Mapping[str, Any] | None = None
    for record, entry in enumerate(entries):
        try:
            head = decode(entry, path, record)
        except Undecodable:
            continue
        if isinstance(head, dict):
            for reader in readers.values():
                if reader.fits(head):
                    return find("read", reader.__name__.rpartition(".")[2])
            seen = head if seen is None else seen
    if not entries:
        return find("read", "llava")  # no entries: any reader reads them
    what = f"records with the keys {', '.join(map(repr, seen))}" if seen else f"{len(entries)} entries without keys"
    formats = ", ".join(readers)
    raise InputError(f"{path}: expected a known format ({formats}), got {what}; convert the file, or name its format")


def _existing(path: str | os.PathLike[str] | None, option: str) -> Path | None:
    """Return a path that an option names, which must exist."""
    if path is not None and not Path(path).exists():
        raise InputError(f"{option}: expected a path that exists, got {option}={str(path)!r}; check it")
    return None if path is None else Path(path)


def _beside(path: Path) -> Path | None:
    """Return the `image_data.json` that lies beside a file."""
    found = path.with_name(SIDE_DATA[0])
    return found if found.is_file() else None


@contextmanager
def _collector_off() -> Iterator[None]:
    """Keep the garbage collector from walking over the records again and again while they are read."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
