"""Write picks to files that trainers read. Each file: pool and rows -> one file; this one writes the side files."""

from __future__ import annotations

import json
import warnings
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.calls import call
from recipe.config.code import name_of
from recipe.config.knobs import shown
from recipe.config.registry import fitting
from recipe.config.step import Step
from recipe.config.writers import beside as beside_of
from recipe.config.writers import check_ending, stated
from recipe.errors import BoxesLeft, FunctionError
from recipe.io.atomic import atomic_write
from recipe.io.families import FORMATS, SIDE_FILES, side_file
from recipe.io.hashes import sha256
from recipe.stages.write._layout import Layout
from recipe.stages.write._rejects import reject_lines
from recipe.stages.write._scores import write_scores

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def write_mix(
    path: Path,
    pool: Pool,
    rows: NDArray[np.int64],
    *,
    manifest: dict[str, Any],
    stats: str,
    scores: pl.DataFrame,
    layout: Layout | None = None,
    format: Step | None = None,  # noqa: A002  the word that users know
    **knobs: Any,
) -> list[Path]:
    """Write a mix and the files beside it to a folder of their own, from which `recipe.io.staging.settle` moves them.

    Parameters
    ----------
    path
        Path of the mix: ``.json`` for one array, ``.jsonl`` for one record per line.
    pool
        n samples.
    rows
        (k,) rows in pick order.
    manifest
        What is needed to rebuild the mix; the number of records and the hash of each file are added.
    stats
        JSON text of the statistics.
    scores
        One line per sample of the pool.
    layout
        Which picks go to which file, and in which order; one file in pick order by default.
    format
        The writer; by default the one for the ending of the path.
    **knobs
        Passed to the writer: ids, pack, max_tokens, originals, pictures, sizes.

    Returns
    -------
    list of Path
        The files written: the manifest, those of the mix, and the others.

    Raises
    ------
    ConfigError
        If there is no format for the ending.
    InputError
        If the folder cannot be written to.
    """
    writer = writer_of(path, format)
    records = write_records(path, pool, rows, layout=layout or Layout(), format=writer, **knobs)
    beside = {name: side_file(path, name) for name in SIDE_FILES}
    with atomic_write(beside["scores.parquet"]) as handle:
        write_scores(scores, handle)
    with atomic_write(beside["rejects.jsonl"], "w") as handle:
        handle.writelines(reject_lines(pool))
    with atomic_write(beside["stats.json"], "w") as handle:
        handle.write(stats)
    beside |= write_beside(path, records, writer)
    files = [{"name": file.name, "records": count, "sha256": sha256(file)} for file, count in records.items()]
    mix = {"files": files} if layout and layout.files == "parts" else {"sha256": files[0]["sha256"]}
    own = name_of(writer.name)
    plain = own is None and FORMATS.get(path.suffix) == writer.name
    named = {"format": writer.name} if plain else {"format": own or writer.name, "ending": path.suffix}
    hashes = {name: sha256(file) for name, file in beside.items()}
    mix = {**named, "records": sum(records.values()), "beside": hashes, **mix}
    listed = side_file(path, "manifest.json")
    with atomic_write(listed, "w") as handle:
        handle.write(json.dumps({**manifest, "mix": mix}, indent=1) + "\n")
    return [listed, *records, *beside.values()]


def writer_of(path: Path, named: Step | None = None) -> Step:
    """Return the writer that a recipe names, or else the one for the ending of a path.

    Raises
    ------
    ConfigError
        If none is named and there is none for the ending, or the one that is named writes files of other endings.
    """
    check_ending(path, named)
    return named or Step(FORMATS[path.suffix], {})


def write_records(
    path: Path,
    pool: Pool,
    rows: NDArray[np.int64],
    *,
    layout: Layout,
    format: Step | None = None,  # noqa: A002  as above
    **knobs: Any,
) -> dict[Path, int]:
    """Write the records of a mix, without the files beside it.

    Parameters
    ----------
    path, pool, rows, layout, format, **knobs
        As for `write_mix`. Your own writer is given only the knobs that it takes.

    Returns
    -------
    dict
        File to number of records in it.

    Raises
    ------
    ConfigError
        If there is no format for the ending.
    """
    writer = writer_of(path, format)
    step = Step(writer.name, fitting("write", writer.name, knobs) | writer.knobs)
    if format is not None and not stated(writer, "FRAMES", ()):
        _warn_of_frames(pool, rows, writer)
    return {file: _written(step, pool, own, file) for file, own in layout.split(path, pool, rows).items()}


def _warn_of_frames(pool: Pool, rows: NDArray[np.int64], writer: Step) -> None:
    """Warn if boxes of several frames go to a file whose writer leaves them as they are."""
    found = pool.rows["frame"].gather(rows).drop_nulls().value_counts(sort=True)
    if len(found) > 1:
        counts = ", ".join(f"{count:,} {frame}" for frame, count in sorted(found.iter_rows()))
        what = f"boxes of several frames are left as they are by {writer.label.replace('_', '-')} ({counts})"
        warnings.warn(f"{what}; take sources of one frame, or a trainer that wants one", BoxesLeft, stacklevel=4)


def write_beside(path: Path, records: Mapping[Path, int], writer: Step) -> dict[str, Path]:
    """Write the files by which a trainer finds a mix, as ``mix.dataset_info.json``, if its writer has such files.

    Parameters
    ----------
    path
        Path of the mix, after which they are named.
    records
        As `write_records` returns it.
    writer
        Of the mix; its file has `BESIDE`, the endings, and a function `beside` that returns the text of each.

    Returns
    -------
    dict
        Ending to path.

    Raises
    ------
    FunctionError
        If a writer of your own says that it has such files, and does not return their texts.
    """
    if not beside_of(writer):
        return {}
    make = stated(writer, "beside", None)
    if not callable(make):
        what = f"expected a function 'beside', which BESIDE promises, got {shown(make)}"
        raise FunctionError(f"write.{writer.label}: {what}; give it one")
    knobs = {name: value for name, value in writer.knobs.items() if name in signature(make).parameters}
    texts = call("write", Step(make, knobs), records)
    for name in beside_of(writer):
        if not isinstance(texts, dict) or not isinstance(texts.get(name), str):
            what = f"expected the text of each file from 'beside', as {{{name!r}: ...}}"
            raise FunctionError(f"write.{writer.label}: {what}, got {shown(texts)}; return it")
    files = {name: side_file(path, name) for name in beside_of(writer)}
    for name, file in files.items():
        with atomic_write(file, "w") as handle:
            handle.write(texts[name])
    return files


def _written(step: Step, pool: Pool, rows: NDArray[np.int64], file: Path) -> int:
    """Write a file, and return how many records are in it, or raise if the writer does not say."""
    count = call("write", step, pool, rows, file)
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 0:
        what = "expected the number of records written"
        raise FunctionError(f"write.{step.label}: {what}, got {shown(count)}; return it as an integer from 0")
    if not file.is_file():
        what = f"expected it to write the file {file}, got none"
        raise FunctionError(f"write.{step.label}: {what}; write to the path that it is given")
    if file.is_symlink() or file.stat().st_nlink > 1:
        what = f"expected it to write the file {file}, got a link to another"
        raise FunctionError(f"write.{step.label}: {what}; write the bytes themselves to the path that it is given")
    return int(count)
