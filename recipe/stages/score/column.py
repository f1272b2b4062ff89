"""A score of your own: a column of a file, by key or by id."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from recipe.errors import AlignmentError, ConfigError, InputError, nearest
from recipe.io.panics import unprinted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recipe.config.ranges import AnyPath, Name, Number
    from recipe.data.pool import Pool

READERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    ".parquet": lambda file: pl.scan_parquet(file, glob=False),
    ".csv": lambda file: pl.scan_csv(file, glob=False, infer_schema=False),  # ids keep their leading zeros
    ".jsonl": lambda file: pl.scan_ndjson(file, infer_schema_length=None),
}


def score(
    pool: Pool,
    *,
    file: AnyPath,
    column: Name,
    key: Literal["key", "id"] = "key",
    missing: Number | None = None,
) -> NDArray[np.float32]:
    """Score each sample by a number that was computed elsewhere, such as a model's rating of it; O(n + lines).

    Parameters
    ----------
    pool
        n samples.
    file
        ``.parquet``, ``.csv`` or ``.jsonl``, with a column named by `key`. Lines of other samples are ignored.
    column
        Its column of numbers; higher is better. Null counts as missing; NaN and infinity are refused.
    key
        Whether lines are matched by ``"key"``, which every table of scores has, or by ``"id"``. Ids repeat in real
        files: all samples with an id get its number.
    missing
        The score of a sample that is not in the file, any finite number; None to raise an error.

    Returns
    -------
    ndarray
        (n,) float32 from the file; 0 for a sample that may not be selected.

    Raises
    ------
    InputError
        If the file cannot be read, or the column is not numeric.
    ConfigError
        If a knob is out of its range, or the file has no such column.
    AlignmentError
        If an eligible sample has no number, two lines of one sample differ, or a number is not finite.

    Examples
    --------
    >>> import tempfile
    >>> from recipe import demo_pool
    >>> pool = demo_pool(images=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     quality = Path(folder, "quality.csv")
    ...     pool.rows.select("key", clip=pl.lit(0.5)).write_csv(quality)
    ...     set(score(pool, file=quality, column="clip")[pool.eligible].tolist())
    {0.5}
    """
    if key not in ("key", "id"):
        raise ConfigError(f"score.column: expected key or id, got key={key!r}")
    if missing is not None and not math.isfinite(missing):
        raise ConfigError(f"score.column: expected a finite number or null, got missing={missing}")
    numbers = _numbers(Path(file), column, key)
    eligible = pool.rows.select("row", name=key).filter(pool.eligible)
    found = eligible.join(numbers, on="name", how="left", maintain_order="left")
    lost = found.filter(pl.col("value").is_null())
    if lost.height and missing is None:
        what = f"expected a number in {column} for each of {found.height:,} eligible samples"
        got = f"{lost.height:,} have none, as {key}={lost['name'][0]}"
        raise AlignmentError(f"score.column: {file}: {what}, {got}; add them, or set missing")
    scores = np.zeros(len(pool), np.float32)
    scores[found["row"].to_numpy()] = found["value"].fill_null(0.0 if missing is None else missing).to_numpy()
    return scores


def _numbers(file: Path, column: str, key: str) -> pl.DataFrame:
    """Return the lines of a file that have a number: name and value, each name once."""
    if file.suffix not in READERS:
        raise ConfigError(f"score.column: expected a file of {', '.join(READERS)}, got file={str(file)!r}")
    if not os.path.isfile(file):  # noqa: PTH113  Path.is_file raises where a name is too long
        raise InputError(f"score.column: no file {file!s:.200}; give the path of a table of numbers")
    try:
        whole = READERS[file.suffix](file)
        with unprinted():
            columns = whole.collect_schema().names()
        for name in (key, column):
            if name not in columns:
                raise ConfigError(f"score.column: {file}: no column '{name}', {nearest(name, columns)}")
        if (kind := whole.collect_schema()[column]).is_nested():
            raise InputError(f"score.column: {file}: expected numbers in {column}, got {kind}; name another column")
        value = pl.col(column).cast(pl.Float64)
        with unprinted():
            table = whole.select(name=pl.col(key).cast(pl.String), value=value).drop_nulls().collect()
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"score.column: cannot read {key} and {column} of {file} ({reason}); repair it") from error
    bad = table.filter(~pl.col("value").cast(pl.Float32).is_finite())
    if bad.height:
        got = f"{bad.height:,} others, as {bad['value'][0]} of {key}={bad['name'][0]}"
        raise AlignmentError(f"score.column: {file}: expected finite numbers in {column}, got {got}; leave them out")
    once = table.unique(maintain_order=True)
    if once.height > once["name"].n_unique():
        name = once.filter(pl.col("name").is_duplicated())["name"][0]
        values = " and ".join(str(value) for value in once.filter(pl.col("name") == name)["value"].to_list()[:2])
        fix = "keep one, or find samples by key" if key == "id" else "keep one"
        raise AlignmentError(f"score.column: {file}: expected one number for {key}={name}, got {values}; {fix}")
    return once
