"""Pictures whose bytes lie in the sources of a mix: which they are, and their bytes, each source read once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.media import Medium, media_of
from recipe.data.signatures import hash_of
from recipe.errors import InputError
from recipe.io.arrow import take
from recipe.stages.read import expand
from recipe.stages.read._containers.pictures import picture_bytes
from recipe.stages.read._containers.places import reading_order

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.checkpoint import Held
    from recipe.data.pool import Pool

Stored = dict[str, tuple[str, Medium]]  # name of a picture to a source in which its bytes lie
SLICE = 8192  # rows that are Python objects at a time


def sorted_out(pool: Pool, rows: NDArray[np.int64]) -> tuple[Stored, list[str], int]:
    """Return the pictures of some samples by where they lie.

    Parameters
    ----------
    pool, rows
        n samples, and (k,) rows of them.

    Returns
    -------
    stored
        Name of each whose bytes lie in a source, to the source and what is known of it.
    loose
        Names of those that are files, sorted.
    elsewhere
        How many are URLs or absolute paths.
    """
    stored: Stored = {}
    loose: set[str] = set()
    elsewhere: set[str] = set()
    order = np.unique(np.asarray(rows, dtype=np.int64))
    for start in range(0, len(order), SLICE):
        some = take(pool.rows, ("source", "image", "media"), order[start : start + SLICE])
        for source, image, media in some.iter_rows():
            for one in media_of(image, media):
                if one.hash is not None:
                    first = stored.get(one.name, (source, one))
                    stored[one.name] = min(first, (source, one), key=lambda known: (known[0], known[1].place or ""))
                elif "://" in one.name or one.name.startswith("/"):
                    elsewhere.add(one.name)
                else:
                    loose.add(one.name)
    return dict(sorted(stored.items())), sorted(loose), len(elsewhere)


def stored_bytes(stored: Stored, files: Mapping[str, str | os.PathLike[str]]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of pictures that lie in sources, each source read once.

    Parameters
    ----------
    stored
        As of `sorted_out`.
    files
        Source to its path.

    Yields
    ------
    tuple of str and bytes
        In the order of the sources, and of the bytes in each.

    Raises
    ------
    InputError
        If a source is not known, cannot be read, or has changed.
    """
    by_source: dict[str, list[tuple[str, Medium]]] = {}
    for name, (source, one) in stored.items():
        by_source.setdefault(source, []).append((name, one))
    for source, some in sorted(by_source.items()):
        lost = next((name for name, one in some if source not in files or one.place is None), None)
        if lost is not None:
            what = f"{source}: expected the file in which the bytes of {lost} lie, got none"
            raise InputError(f"{what}; name the files as sources, not a pool or records in memory")
        path = Path(files[source])
        some.sort(key=lambda pair: reading_order(str(pair[1].place)))
        for (name, one), content in zip(some, picture_bytes(path, [str(one.place) for _, one in some]), strict=True):
            if hash_of([content]) != one.hash:
                raise InputError(f"{path}: expected {name} at {one.place}, got other bytes; read the pool again")
            yield name, content


def has_stored(pool: Pool, rows: NDArray[np.int64]) -> tuple[int, str] | None:
    """Return how many of some samples have a picture whose bytes lie in a source, and the source of the first."""
    if pool.rows["media"].null_count() == len(pool):
        return None
    some = take(pool.rows, ("source", "media"), np.asarray(rows, dtype=np.int64))
    hashes = pl.col("media").list.eval(pl.element().struct.field("hash").is_not_null()).list.any()
    inside = some.filter(hashes.fill_null(value=False))["source"]
    return (len(inside), inside[0]) if len(inside) else None


class Spool:
    """The bytes of the pictures of some samples, in any order and as often as they are asked for.

    Parameters
    ----------
    pool, rows
        As for `sorted_out`.
    plan
        Names the sources.
    """

    def __init__(self, pool: Pool, rows: NDArray[np.int64], plan: Recipe) -> None:
        self.pool, self.rows, self.plan = pool, rows, plan
        self._file: IO[bytes] | None = None
        self._spots: dict[str, tuple[int, int]] = {}

    def __call__(self, wanted: Sequence[tuple[str, Medium]]) -> Iterator[bytes | None]:
        """Yield the bytes of pictures, given with their sources; None for one that no source has.

        When it is called first, the pictures of all samples are read into a temporary file.
        """
        file = self._filled()
        for _, picture in wanted:
            start, length = self._spots.get(picture.name, (0, -1))
            file.seek(start)
            yield file.read(length) if length >= 0 else None

    def _filled(self) -> IO[bytes]:
        """Return the temporary file, with all pictures in it."""
        if self._file is None:
            stored, _, _ = sorted_out(self.pool, self.rows)
            file = TemporaryFile()  # noqa: SIM115  open as long as this object is in use
            for name, content in stored_bytes(stored, located(self.plan, self.pool.checkpoint.held)):
                self._spots[name] = file.tell(), len(content)
                file.write(content)
            self._file = file
        return self._file


def located(plan: Recipe, held: Held | None = None) -> dict[str, Path]:
    """Return the path of each source of a recipe, and of samples that were given in memory, by its name in the pool."""
    given = [source.model_dump(exclude_none=True) for source in plan.sources]
    files = {file.source: file.path for file in expand(given)} if given else {}
    return files | ({name: Path(path) for name, path in held.files.items()} if held else {})
