"""Rebuilds a mix, byte for byte, from its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.code import code_of
from recipe.config.writers import beside as names_beside
from recipe.errors import InputError
from recipe.io.families import FORMATS, MANIFEST, side_file
from recipe.io.hashes import sha256
from recipe.io.outputs import check_output
from recipe.io.paths import path_of
from recipe.io.staging import settle, staged
from recipe.mix.manifest import FIX, Written, check_sources, read_manifest, recipe_of
from recipe.mix.originals import writing
from recipe.mix.targets import files_read
from recipe.stages import tag
from recipe.stages.read import expand, read_pool
from recipe.stages.write import write_beside, write_records, writer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.config.step import Step
    from recipe.data.pool import Pool
    from recipe.mix.manifest import Written


def rebuild_mix(manifest: str | Path, path: str | Path | None = None) -> Path:
    """Write the mix of a manifest again, byte for byte.

    The sources are read again and the samples found by their keys, so that nothing depends on the versions of the
    libraries that selected them.

    Parameters
    ----------
    manifest
        The file that was written beside the mix.
    path
        The file to write; by default beside the manifest, under the original name. A mix that stands there already
        is left as it is, and no other file is replaced.

    Returns
    -------
    Path
        The file written; of a mix with a file for each part, the first.

    Raises
    ------
    InputError
        If the file is no manifest, samples were in memory, a source is missing or has changed, a function of your own
        has changed, or a key is not found.
    """
    file = path_of(manifest, "manifest")
    content = read_manifest(file)
    plan = recipe_of(content, file)
    check_sources(content, plan, file, "select it from them again")
    sources = [source.model_dump(exclude_none=True) for source in plan.sources]
    _check_functions(content.get("functions", {}), file)
    found = {entry.source: sha256(entry.path) for entry in expand(sources)}
    for source in content["sources"]:
        if found.get(source["name"]) != source["sha256"]:
            got = found.get(source["name"], "no such file")
            raise InputError(f"{file}: {source['name']} had SHA-256 {source['sha256']}, got {got}; restore the file")
    pool = read_pool(sources, **plan.read.model_dump())
    written = content["mix"]
    ending = written.get("ending") or next((end for end, name in FORMATS.items() if name == written["format"]), None)
    if ending is None:
        raise InputError(f"{file}: mix: expected the key 'ending' for the format {written['format']!r:.60}; {FIX}")
    beside = file.with_name(file.name.removesuffix(".manifest.json") + ending)
    target = beside if path is None else path_of(path, "path")
    writer_of(target, plan.write.format)
    reads = [file, *files_read(plan)]
    for one in written.get("files", []):
        check_output(target.with_name(one["name"]), reads)
    for output in (target, *(side_file(target, name) for name in names_beside(plan.write.format))):
        check_output(output, reads)
    rows = _rows(pool, content["keys"], content.get("copies", {}), file)
    if plan.write.pack or plan.write.format:  # what becomes of a sample may depend on its labels
        tagged = tag.apply(pool, plan).rows
        pool = pool.with_labels(tagged.select(name for name in tagged.columns if name not in pool.rows.columns))
    settings = writing(pool, plan, content.get("parts", {}), rows)
    return _write(target, written, file, lambda path: write_records(path, pool, rows, **settings), plan.write.format)


def _write(
    target: Path,
    written: Written,
    manifest: Path,
    write: Callable[[Path], Mapping[Path, int]],
    writer: Step | None,
) -> Path:
    """Write the files of a mix beside their place, and move them there if they are those of the manifest.

    Those by which a trainer finds the mix name its files, so they are compared only where it has its name.
    """
    digests = sorted([one["sha256"] for one in written["files"]] if "files" in written else [written["sha256"]])
    with staged(target) as folder:
        made = write(folder / target.name)
        beside = write_beside(folder / target.name, made, writer_of(target, writer))
        got = sorted(sha256(one) for one in made)
        if target.name == manifest.name.removesuffix(MANIFEST) + target.suffix:
            known = written.get("beside", {})
            digests += sorted(known[name] for name in beside if name in known)
            got += sorted(sha256(one) for name, one in beside.items() if name in known)
        if got != digests:
            what = f"expected to write SHA-256 {', '.join(digests)}, got {', '.join(got)}"
            raise InputError(
                f"{manifest}: {what}; nothing is written: rebuild with the version of recipe that it names"
            )
        return settle([*made, *beside.values()], target.parent)[0]


def _check_functions(known: Mapping[str, str | None], file: Path) -> None:
    """Raise if the source of a function has changed; one that no longer exists is not needed."""
    for name, digest in known.items():
        if name.startswith("__main__:") or "<" in name:  # of a script or inside a function: nothing finds it again
            continue
        code = code_of(name)
        now = code.sha256 if code else None
        if digest and now and now != digest:
            raise InputError(f"{file}: {name} had a source of SHA-256 {digest}, got {now}; restore its file")


def _rows(pool: Pool, keys: list[str], copies: Mapping[str, int], file: Path) -> NDArray[np.int64]:
    """Return the row of each key: the first without a problem, as in selection, or the copy that the manifest names."""
    valid = pool.rows.filter(pl.col("problem").is_null()).unique("key", keep="first", maintain_order=True)
    asked = pl.DataFrame({"key": keys}, {"key": pl.String})
    found = asked.join(valid.select("key", "row"), on="key", how="left", maintain_order="left")
    missing = found.filter(pl.col("row").is_null())
    if missing.height:
        raise InputError(
            f"{file}: {missing.height} of its keys are in no source, as {missing['key'][0]}; restore the sources"
        )
    rows = found["row"].cast(pl.Int64).to_numpy().copy()
    places = np.array([int(place) for place in copies], dtype=np.int64)
    first = pool.rows["key"].search_sorted(found["key"].gather(places), side="left").to_numpy()
    rows[places] = first + np.array(list(copies.values()), dtype=np.int64)
    return rows
