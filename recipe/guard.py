"""A mix against its baseline, and against another mix: files are read and measured here, and compared in the rooms."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recipe.check.drift import check_drift
from recipe.config import Step
from recipe.errors import ConfigError, InputError
from recipe.files import atomic_write, sha256
from recipe.read import read_pool
from recipe.recount import file_stats
from recipe.report.diff import Picked, diff_mixes
from recipe.report.stats import read_stats
from recipe.rooms import call
from recipe.write import side_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.check.drift import Drift
    from recipe.outcome import Mix
    from recipe.pool import Pool
    from recipe.report.diff import Diff
    from recipe.report.stats import Stats


def stats_of(mix: Mix | str | os.PathLike[str]) -> Stats:
    """Measure a mix in memory, or one in a file."""
    return file_stats(Path(mix)) if isinstance(mix, str | os.PathLike) else mix.stats()


def guard_mix(
    mix: Mix | str | os.PathLike[str],
    baseline: str | os.PathLike[str],
    tolerances: Mapping[str, Any] | str | Path | None = None,
) -> Drift:
    """Compare the numbers of a mix with those of a baseline file.

    Parameters
    ----------
    mix
        A mix, or its file.
    baseline
        Statistics that were written before, as ``mix.stats.json``.
    tolerances
        As for `recipe.check.drift.check_drift`.

    Returns
    -------
    Drift
        A verdict for each metric.

    Raises
    ------
    InputError
        If a file cannot be read.
    ConfigError
        If a tolerance cannot be understood.
    """
    file = Path(baseline)
    if not file.is_file():
        raise InputError(f"{file}: no such baseline; write it from a mix that you trust, with --update")
    return check_drift(read_stats(file).metrics(), stats_of(mix).metrics(), tolerances)


def write_baseline(mix: Mix | str | os.PathLike[str], baseline: str | os.PathLike[str]) -> Path:
    """Write the numbers of a mix as a new baseline.

    Parameters
    ----------
    mix
        A mix, or its file.
    baseline
        Where they go; an older file is replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ConfigError
        In CI, where a baseline that follows the mix would guard nothing.
    InputError
        If the mix cannot be read or the file not be written.
    """
    if in_ci():
        raise ConfigError(f"{baseline}: expected no update of a baseline where CI={os.environ['CI']}; run it at home")
    told = stats_of(mix).to_json()
    with atomic_write(baseline, "w") as file:
        file.write(told)
    return Path(baseline)


def in_ci() -> bool:
    """Tell whether the environment says that this is CI."""
    return os.environ.get("CI", "").strip().lower() not in {"", "0", "false", "no", "off"}


def diff_files(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Diff:
    """Say what came into a mix, what left it, and which of its numbers moved.

    Parameters
    ----------
    a, b
        The older and the newer mix; anything that `read_pool` reads.

    Returns
    -------
    Diff
        Samples added, removed and kept, numbers that moved, and examples.

    Raises
    ------
    InputError
        If a file cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from recipe.demo import write_demo
    >>> with TemporaryDirectory() as folder:
    ...     _, mix = write_demo(folder, images=2)
    ...     diff = diff_files(mix, mix)
    >>> diff.added, diff.removed, diff.kept > 0
    (0, 0, True)
    """
    paths = Path(a), Path(b)
    pools = [read_pool(path, boxes="keep") for path in paths]
    labels = _labels(paths)
    told = [_known_keys(path) for path in paths]
    if None in told:  # records are compared with records, or samples with samples
        told = [None, None]
    old, new = (_picked(pool, keys, labels) for pool, keys in zip(pools, told, strict=True))
    return diff_mixes(old, new, check_drift(*(file_stats(path).metrics() for path in paths)))


def _picked(pool: Pool, keys: list[str] | None, labels: pl.DataFrame) -> Picked:
    """Say what the samples of a mix are: by the keys of its manifest, or by its file."""
    shown = pool.rows.select("key", "row", "order").sort("order")
    if keys is not None:
        where = shown.select("key", "row").unique("key", keep="first", maintain_order=True)
        shown = pl.DataFrame({"key": keys}).join(where, on="key", how="left", maintain_order="left")
    samples = shown.select("key", "row").join(labels, on="key", how="left", maintain_order="left")
    if samples["task"].null_count():
        task = call("tag", Step("task", {}), call_labelled(pool))
    return Picked(samples, pool.rows)


def _labels(paths: tuple[Path, Path]) -> pl.DataFrame:
    """Return task and cluster of every sample that the scores beside the mixes know.

    A sample is labelled once, in the pool that it was picked from: its file tells less, as what SVIT calls its task.
    Numbers of clusters mean something only where both mixes were picked from the same ones.
    """
    told = [scores for path in paths if (scores := _scores(path)) is not None]
    labels = pl.concat([*told, pl.DataFrame(schema=LABELS)]).unique("key", keep="last", maintain_order=True)
    if len(told) == 2:
        both = told[0].join(told[1], on="key")
        if not both["cluster"].equals(both["cluster_right"]):
            labels = labels.with_columns(cluster=pl.lit(None, pl.Int32))
    return labels
