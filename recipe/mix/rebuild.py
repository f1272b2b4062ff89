"""The same bytes again, from a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.code import code_of
from recipe.config.recipe import Recipe
from recipe.errors import InputError
from recipe.io.hashes import sha256
from recipe.mix.manifest import read_manifest
from recipe.mix.originals import writing
from recipe.stages.read import expand, read_pool
from recipe.stages.write import FORMATS, write_records, writer_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def rebuild_mix(manifest: str | Path, path: str | Path | None = None) -> Path:
    """Write the mix that a manifest describes again, byte for byte.

    The sources are read again and the samples found by their keys, so that nothing hangs on the versions of the
    libraries that selected them.

    Parameters
    ----------
    manifest
        The file that was written beside the mix.
    path
        Where the mix goes; beside the manifest, under the name that it had, by default.

    Returns
    -------
    Path
        The file written; of a mix that is written part by part, the first.

    Raises
    ------
    InputError
        If the manifest is none, a source is missing or has other bytes than when the mix was made, a function of your
        own has another source now, or a key is not found.
    """
    file = Path(manifest)
    told = read_manifest(file)
    plan = Recipe.of(told["recipe"])
    sources = [source.model_dump(exclude_none=True) for source in plan.sources]
    if not sources:
        raise InputError(f"{file}: its mix was made from a pool in memory, which names no sources to rebuild it from")
    _check_functions(told.get("functions", {}), file)
    found = {entry.source: sha256(entry.path) for entry in expand(sources)}
    for source in told["sources"]:
        if found.get(source["name"]) != source["sha256"]:
            got = found.get(source["name"], "no such file")
            raise InputError(f"{file}: {source['name']} had SHA-256 {source['sha256']}, got {got}; restore the file")
    pool = read_pool(sources, **plan.read.model_dump())
    written = told["mix"]
    ending = written.get("ending") or next(end for end, name in FORMATS.items() if name == written["format"])
    target = Path(path) if path else file.with_name(file.name.removesuffix(".manifest.json") + ending)
    writer_of(target, plan.write.format)
    rows = _rows(pool, told["keys"], told.get("copies", {}), file)
    return next(iter(write_records(target, pool, rows, **writing(pool, plan, told.get("parts", {})))))


def _check_functions(known: dict[str, str | None], file: Path) -> None:
    """Refuse functions that say something else than when the mix was made; one that is gone cannot, and is not run."""
    for name, digest in known.items():
        code = code_of(name)
        now = code.sha256 if code else None
        if digest and now and now != digest:
            raise InputError(f"{file}: {name} had a source of SHA-256 {digest}, got {now}; restore its file")


def _rows(pool: Pool, keys: list[str], copies: dict[str, int], file: Path) -> NDArray[np.int64]:
    """Find the row of each key: the first one that has no problem of its own, as selection did, or the copy named."""
    sound = pool.rows.filter(pl.col("problem").is_null()).unique("key", keep="first", maintain_order=True)
    found = pl.DataFrame({"key": keys}).join(sound.select("key", "row"), on="key", how="left", maintain_order="left")
    lost = found.filter(pl.col("row").is_null())
    if lost.height:
        raise InputError(
            f"{file}: {lost.height} of its keys are in no source, as {lost['key'][0]}; restore the sources"
        )
    rows = found["row"].cast(pl.Int64).to_numpy().copy()
    places = np.array([int(place) for place in copies], dtype=np.int64)
    first = pool.rows["key"].search_sorted(found["key"].gather(places), side="left").to_numpy()
    rows[places] = first + np.array(list(copies.values()), dtype=np.int64)
    return rows
