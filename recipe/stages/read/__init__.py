"""Read files into one pool. Each file here: a record -> entries, and how sure it is that a record is of its format."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recipe.config.code import as_named, identity
from recipe.config.registry import find
from recipe.data.checkpoint import Checkpoint
from recipe.data.pool import Pool
from recipe.engine import distributed
from recipe.engine.workers import nodes
from recipe.errors import ConfigError, InputError, NotCached
from recipe.io.cache import open_store
from recipe.io.hashes import check_unchanged, see
from recipe.stages.read._entry import Context, Entry
from recipe.stages.read._images import Images
from recipe.stages.read._piece import Options, Piece
from recipe.stages.read._rows import stack
from recipe.stages.read._shards import pieces_of, read_piece, read_shards
from recipe.stages.read._sources import File, expand
from recipe.stages.read._sources.aside import companion
from recipe.stages.read._sources.given import sort_out
from recipe.stages.read._sources.lists import read_list
from recipe.stages.read._sources.roots import warn_of_shared_names
from recipe.stages.read._sources.spool import by_name, find_files

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from recipe.config.recipe import Recipe
    from recipe.data.media import Frame
    from recipe.io.store import Store
    from recipe.stages.read._detect import Format
    from recipe.stages.read._sources.given import Held, Sources

__all__ = ["Context", "Entry", "File", "Images", "apply", "companion", "expand", "read_list", "read_pool", "sort_out"]

IN_MEMORY = 64_000_000  # bytes of sources up to which a pool is read into memory, if no store is given


def apply(plan: Recipe, cache: str | Path | None = None, *, held: Sequence[Held] = ()) -> Pool:
    """Read the sources of a recipe, and samples in memory beside them."""
    if (cache is None or held) and distributed() and nodes() > 1:
        wanted = "cache=..., a path or URL" if cache is None else "files in place of samples in memory"
        raise ConfigError(f"engine=ray on several machines: expected {wanted} that all of them can reach")
    sources = [*(source.model_dump(exclude_none=True) for source in plan.sources), *(one._asdict() for one in held)]
    return read_pool(sources, **plan.read.model_dump(), store=None if cache is None else open_store(cache))


def read_pool(
    sources: Sources,
    *,
    format: Format | None = None,  # noqa: A002  the word that users know
    boxes: Literal["square", "keep"] = "square",
    images: str | os.PathLike[str] | None = None,
    image_data: str | os.PathLike[str] | None = None,
    suffix_seed: int = 0,
    image_token: Literal["front", "given"] = "front",  # noqa: S107  no password
    lenient: bool = False,
    boxes_frame: Frame | None = None,
    store: Store | None = None,
) -> Pool:
    r"""Read files or samples in memory into one pool; every entry becomes a row, and a broken one gets a `problem`.

    Parameters
    ----------
    sources
        Files, folders and globs, as for `recipe.stages.read.expand`. Or samples in memory: records in a list or from an
        iterator, which is taken once, a table of polars, pandas or pyarrow, or a `datasets.Dataset`. Or a list of any
        of these. Samples in memory are the source ``"memory"``, or the one that ``{"data": samples, "name": "train"}``
        names; they lie in temporary files as long as the pool lives.

        A file contains a JSON array, JSON Lines, one record, or an object around an array or keyed by id; or it is
        Parquet, Arrow, a tar shard, or a table of VLMEvalKit. JSON is plain, gzip, bzip2, xz or zstd (which may unpack
        to 200 times their size, and to at least 64 MB); UTF-8, or any UTF with a byte-order mark. A record larger than
        64 MB, or nested more than 100 brackets deep, becomes a row with a problem.
    format
        The reader of files that do not name their own: a file in this folder, or a callable ``(record, context) ->
        entries``. None recognises the format of each file by its records.
    boxes
        ``"square"`` converts SVIT's boxes to the padded square image that LLaVA v1.5 feeds its model, ``"keep"`` keeps
        them.
    images
        The image folder, for sizes and paths that are not in `image_data`.
    image_data
        Visual Genome's `image_data.json`; None looks beside each SVIT file.
    suffix_seed
        Seed for the sentence that is appended to SVIT's referring questions.
    image_token
        ``"front"`` writes `<image>` once, at the start of the first question; ``"given"`` leaves it in place if it
        occurs once, in the first question, which has the same effect in training.
    lenient
        Whether to read the undamaged records of a damaged file: all before the damage, and in JSON Lines also those
        after it. Each damaged section, and each entry of a file of unknown format, becomes a row with a problem.
    boxes_frame
        What the coordinates of boxes refer to in sources that do not say so: ``"unit"`` (0..1 of the image),
        ``"square"`` (0..1 of the image padded to a square), ``"thousand"`` (0..1000) or ``"pixels"``; None for unknown.
    store
        Where the text is cached, as `recipe.io.cache.open_store` opens it; text that was read before from the same
        bytes with the same options is found there again. By default small pools stay in memory, and large ones get a
        temporary folder that is deleted with the pool.

    Returns
    -------
    Pool
        Rows in key order, the same for any order of files and records except in the columns `record` and `order`.
        `record` counts the samples of a file; a SVIT file has more samples than items.

    Raises
    ------
    InputError
        If a path does not exist, or a file cannot be read; unless lenient, also if it is not JSON or has no known
        format.
    ConfigError
        If a format or an option is unknown.
    FunctionError
        If a reader of your own, or an iterator, raises an exception.

    Warns
    -----
    NotCached
        If a store is given, and a reader is a callable that no other process can find by its name.

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
    options = Options(boxes, suffix_seed, image_token, lenient, _existing(images, "images"), boxes_frame)
    side_data = _existing(image_data, "image_data")
    found = find_files(sources)
    with by_name(found.files, found.held):
        pool = _read(found.files, side_data, as_named(format), options, store)
    warn_of_shared_names(pool.rows)
    return replace(pool, checkpoint=replace(pool.checkpoint, passed=tuple(found.passed), held=found.held))


def _read(
    found: Sequence[File],
    side_data: Path | None,
    reader: Format | None,
    options: Options,
    store: Store | None,
) -> Pool:
    """Read files into a pool, in memory or in shards."""
    files = [(replace(file, format=as_named(file.format)), side_data or companion(file.path)) for file in found]
    for file, _ in files:
        find("read", file.format or reader or "llava")  # refuses an unknown name before anything is read
    in_files = all(
        isinstance(file.format or reader, str | None) for file, _ in files
    )  # a callable that has no name cannot be sent to workers
    if not in_files and store is not None:
        what = "a reader that is a lambda, an object, or a function of a script or inside a function has no identity"
        warnings.warn(f"{what}, so nothing of this pool is cached; put it in a module", NotCached, stacklevel=2)
    sides = {beside: see(beside) for _, beside in files if beside}
    whole = [
        Piece(
            file,
            beside,
            file.format or reader,
            seen=(see(file.path), *([sides[beside]] if beside else [])),
            mixed=(file.format or reader) is None,
        )
        for file, beside in files
    ]
    seen = {piece.file.source: piece.seen[0] for piece in whole}
    if not in_files or (store is None and sum(one.size for one in seen.values()) <= IN_MEMORY):
        return Pool(stack([read_piece(piece, options) for piece in whole]), checkpoint=Checkpoint(sources=seen))
    pieces = [piece for one in whole for piece in pieces_of(one, lenient=options.lenient)]
    store = store or open_store(None)
    pool = Pool.of(read_shards(pieces, options, store, _stage(whole, options, store)))
    check_unchanged(one for piece in whole for one in piece.seen)
    return replace(pool, checkpoint=replace(pool.checkpoint, sources=seen))


def _stage(files: Sequence[Piece], options: Options, store: Store) -> str:
    """Name the stage by everything that the pool depends on.

    Files in an image folder are left out: an image of another size is assumed to be another image.
    """
    read = [
        (one.file.source, [seen.sha256 for seen in one.seen], _known(one.format), one.file.root, one.file.take)
        + ((one.file.beside,) if one.file.beside else ())
        for one in files
    ]
    known = {**options._asdict(), "images": None if options.images is None else str(options.images)}
    return store.stage("read", files=read, options=known)


def _known(reader: Format | None) -> Any:
    """Return what identifies a reader: its name, or the name and source hash of your own function."""
    return identity(reader) if reader else None


def _existing(path: str | os.PathLike[str] | None, option: str) -> Path | None:
    """Return a path that an option names, which must exist."""
    if path is not None and not Path(path).exists():
        raise InputError(f"{option}: expected a path that exists, got {option}={str(path)!r}; check it")
    return None if path is None else Path(path)
