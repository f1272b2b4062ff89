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
from recipe.read._json import Malformed, Undecodable, bytes_of, decode, read_entries
from recipe.read._rows import Rows, stack
from recipe.rooms import find, names

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from recipe.files import File, Source
    from recipe.read._json import Found

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
    lenient: bool = False,
) -> Pool:
    r"""Read files, folders and globs into one pool; every entry becomes a row, and a broken one says what is wrong.

    Parameters
    ----------
    sources
        What to read, as for `recipe.files.expand`. A file holds a JSON array, JSON Lines, one record, or an object
        around an array or keyed by id; plain, gzip or zstd (which may unpack to 200 times their size, and to 64 MB in
        any case); UTF-8, or any UTF with a byte-order mark. A record of more than 64 MB, or nested deeper than 100
        brackets, is a row that says so.
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
    lenient
        Whether to read what is sound of a damaged file: all records before the damage, of JSON Lines those after it
        too. Each damaged part, and each entry of a file of no known format, is a row that says what is lost.

    Returns
    -------
    Pool
        Rows in key order, the same for any order of files and records but for `record` and `order`. `record` counts the
        samples of a file, which in SVIT's files are more than the items.

    Raises
    ------
    InputError
        If a path does not exist, or a file cannot be read; unless lenient, also if it is not JSON or has no known
        format.
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
            rows = Rows(file.source, image_token=image_token)
            frames.append(_read_file(file, format, context, rows, lenient=lenient))
    return Pool(stack(frames))


def _read_file(
    file: File,
    format: Format | None,  # noqa: A002  as above
    context: Context,
    rows: Rows,
    *,
    lenient: bool,
) -> pl.DataFrame:
    """Read one file into its table."""
    entries = read_entries(file.path, lenient=lenient)
    asked = file.format or format
    read = find("read", asked) if asked else _recognise(entries, file.path, lenient=lenient)
    for entry in entries:
        try:
            value = decode(entry)
            found = list(read(value, context)) if isinstance(value, dict) else [_no_record(value)]
        except (Undecodable, RecursionError) as error:
            if isinstance(error, Malformed) and not lenient:
                read_entries(file.path, walk=True)  # raises at the exact place
            found = [Entry([], problem=f"bad_json:{error}", raw=bytes_of(entry))]
        for sample in found:
            rows.add(sample)
    return rows.frame()


def _no_record(value: object, why: str = "") -> Entry:
    """Make the row that stands in place of what is no record."""
    return Entry([], problem=f"not_a_record:{why}" if why else "not_a_record", raw=dump(value))


def _recognise(entries: Sequence[Found], path: Path, *, lenient: bool) -> Callable[..., Any]:
    """Find the reader that knows the shape of the first record that any reader knows."""
    readers = {name: import_module(f"recipe.read.{name}") for name in names("read")}
    first: object = None
    for entry in entries:
        try:
            head = decode(entry)
        except Undecodable:
            continue
        if isinstance(head, dict):
            for reader in readers.values():
                if reader.fits(head):
                    return find("read", reader.__name__.rpartition(".")[2])
        first = head if first is None else first
    if not entries:
        return find("read", "llava")  # no entries: any reader reads them
    what = f"expected a known format ({', '.join(readers)}), got {_shape(first, len(entries))}"
    if lenient:
        return lambda record, _: [_no_record(record, what)]
    raise InputError(f"{path}: {what}; convert the file, or name its format")


def _shape(first: object, count: int) -> str:
    """Describe the entries of a file by the first of them."""
    if isinstance(first, dict) and first:
        keys = ", ".join(map(repr, first))
        if {"image_id", "width", "height"} <= first.keys():
            return f"records with the keys {keys}, which are sizes of images (read: image_data)"
        return f"records with the keys {keys}"
    if isinstance(first, list) and first and isinstance(first[0], dict):
        return f"{count} entries without keys: lists of records with the keys {', '.join(map(repr, first[0]))}"
    return f"{count} entries without keys"


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
