"""Picks out to files that trainers read. Each file: pool and rows -> one file; the door writes the files beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recipe.errors import ConfigError
from recipe.files import atomic_write, sha256
from recipe.rooms import find
from recipe.write._rejects import reject_lines
from recipe.write._scores import write_scores

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from recipe.pool import Pool

FORMATS = {".json": "llava", ".jsonl": "jsonl"}


def side_file(path: Path, name: str) -> Path:
    """Return the path of a file beside the mix, as mix.manifest.json beside mix.json."""
    return path.with_name(f"{path.stem}.{name}")


def write_mix(
    path: Path,
    pool: Pool,
    rows: NDArray[np.int64],
    *,
    manifest: dict[str, Any],
    stats: str,
    scores: pl.DataFrame,
    **knobs: Any,
) -> list[Path]:
    """Write a mix and the files beside it, each whole or not at all, the manifest last.

    Parameters
    ----------
    path
        Where the mix goes: ``.json`` for one array, ``.jsonl`` for a record a line.
    pool
        n samples.
    rows
        (k,) rows in pick order.
    manifest
        What rebuilds the mix; the number of records and the hash of the file are added.
    stats
        JSON text of the statistics.
    scores
        One line a sample of the pool.
    **knobs
        Given on to the writer: ids, pack, max_tokens.

    Returns
    -------
    list of Path
        The files written, the mix first.

    Raises
    ------
    ConfigError
        If the ending names no format.
    InputError
        If the folder cannot be written to.
    """
    if path.suffix not in FORMATS:
        raise ConfigError(f"expected a mix ending in {' or '.join(FORMATS)}, got {path}")
    beside = {
        name: side_file(path, name) for name in ("scores.parquet", "rejects.jsonl", "stats.json", "manifest.json")
    }
    records = find("write", FORMATS[path.suffix])(pool, rows, path, **knobs)
    with atomic_write(beside["scores.parquet"]) as handle:
        write_scores(scores, handle)
    with atomic_write(beside["rejects.jsonl"], "w") as handle:
        handle.writelines(reject_lines(pool))
    with atomic_write(beside["stats.json"], "w") as handle:
        handle.write(stats)
    manifest = {**manifest, "mix": {"format": FORMATS[path.suffix], "records": records, "sha256": sha256(path)}}
    with atomic_write(beside["manifest.json"], "w") as handle:
        handle.write(json.dumps(manifest, indent=1) + "\n")
    return [path, *beside.values()]
