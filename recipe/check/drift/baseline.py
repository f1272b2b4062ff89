"""A mix against its baseline, and against another mix: reads and measures the files that are compared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recipe.check.drift import check_drift
from recipe.check.drift.diff import Picked, diff_mixes
from recipe.errors import ConfigError, InputError
from recipe.io.families import MANIFEST, family_of, side_file
from recipe.io.hashes import sha256
from recipe.io.outputs import check_output, open_output, read_by
from recipe.io.paths import path_of
from recipe.mix.from_file import file_stats, read_labelled
from recipe.mix.manifest import FIX, files_of, manifest_of
from recipe.mix.scores import read_scores
from recipe.mix.targets import beside_of
from recipe.report.stats import read_stats
from recipe.stages.read import read_pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.check.drift.diff import Diff
    from recipe.check.drift.verdicts import Drift
    from recipe.mix.mix import Mix
    from recipe.report.stats import Stats


LABELS = {"key": pl.String, "task": pl.String, "cluster": pl.Int32}  # columns of the scores that are used
OF_POOL = ("clusters/reached", "concepts/reached")  # shares of what the pool has


def stats_of(mix: Mix | str | os.PathLike[str]) -> Stats:
    """Measure a mix in memory, or one in a file."""
    return file_stats(Path(mix)) if isinstance(mix, str | os.PathLike) else mix.stats()


def metrics_of(mix: Mix | str | os.PathLike[str]) -> dict[str, float]:
    """Return the metrics of a mix, without those that only its pool could give and that is not known."""
    return _metrics(stats_of(mix))


def _metrics(stats: Stats) -> dict[str, float]:
    """Return the metrics. Of a file that is its own pool, shares of the pool and of one source say nothing."""
    alone = stats.pool == stats.mix
    left_out = OF_POOL if alone else ()
    sources = alone and len(stats.mix.sources) == 1
    return {
        name: value
        for name, value in stats.metrics().items()
        if name not in left_out and not (sources and name.startswith("source/"))
    }


def check_baseline(
    mix: Mix | str | os.PathLike[str],
    baseline: str | os.PathLike[str],
    tolerances: Mapping[str, Any] | str | Path | None = None,
) -> Drift:
    """Compare the metrics of a mix with those of a baseline file.

    Parameters
    ----------
    mix
        A mix, or its file.
    baseline
        Statistics of an earlier mix, as ``mix.stats.json``.
    tolerances
        As for `recipe.check.drift.check_drift`.

    Returns
    -------
    Drift
        A verdict for each metric.

    Raises
    ------
    InputError
        If a file cannot be read, or the baseline is not as it was written with the mix whose manifest lies beside it.
    ConfigError
        If a tolerance is not valid.
    """
    file = path_of(baseline, "baseline")
    if not file.is_file():
        raise InputError(f"{file}: no such baseline; write it from a mix that you trust, with --update")
    _check_as_written(file)
    return check_drift(_metrics(read_stats(file)), metrics_of(mix), tolerances)


def _check_as_written(file: Path) -> None:
    """Raise if statistics stand beside the manifest of their mix, which names another hash."""
    stem = file.name.removesuffix(".stats.json")
    known = (family_of(file.with_name(stem + MANIFEST)) or {}).get(file, set())
    if known and sha256(file) not in known:
        raise InputError(f"{file}: expected the file that was written with {stem}{MANIFEST}, got another; {FIX}")


def write_baseline(mix: Mix | str | os.PathLike[str], baseline: str | os.PathLike[str]) -> Path:
    """Write the statistics of a mix as a new baseline.

    Parameters
    ----------
    mix
        A mix, or its file.
    baseline
        Where they go; older statistics are replaced, and no other file.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ConfigError
        In CI, where a baseline that follows the mix would check nothing.
    InputError
        If the mix cannot be read, or the file cannot be written.
    """
    if in_ci():
        raise ConfigError(f"{baseline}: expected no update of a baseline where CI={os.environ['CI']}; run it at home")
    reads = [mix, *beside_of(Path(mix))] if isinstance(mix, str | os.PathLike) else []
    check_output(baseline, reads, read_by(read_stats))
    text = stats_of(mix).to_json()
    with open_output(baseline, "w", reads=reads, own=read_by(read_stats)) as file:
        file.write(text)
    return Path(baseline)


def in_ci() -> bool:
    """Return whether the environment variable CI is set."""
    return os.environ.get("CI", "").strip().lower() not in {"", "0", "false", "no", "off"}


def diff_files(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Diff:
    """Compare two mixes: samples added and removed, and metrics that moved.

    Parameters
    ----------
    a, b
        The older and the newer mix; anything that `read_pool` reads.

    Returns
    -------
    Diff
        Samples added, removed and kept, metrics that moved, and examples.

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
    manifests = [manifest_of(path) for path in paths]
    # Samples are compared with samples, or records with records.
    keys = [one["keys"] if one and all(manifests) else None for one in manifests]
    labels = _labels(paths)
    old, new = (_picked(path, known, labels) for path, known in zip(paths, keys, strict=True))
    return diff_mixes(old, new, check_drift(*(metrics_of(path) for path in paths)))


def _labels(mixes: tuple[Path, Path]) -> pl.DataFrame:
    """Return task and cluster of every sample that the scores beside the mixes list.

    Cluster numbers are kept only where both mixes were picked from the same clusters.
    """
    tables = [scores for mix in mixes if (scores := _scores(mix)) is not None]
    if len(tables) == len(mixes):
        both = tables[0].join(tables[1], on="key", maintain_order="left")
        if not both["cluster"].equals(both["cluster_right"]):
            tables = [scores.with_columns(cluster=pl.lit(None, dtype=pl.Int32)) for scores in tables]
    return pl.concat([*tables, pl.DataFrame(schema=LABELS)]).unique("key", keep="last", maintain_order=True)


def _scores(mix: Path) -> pl.DataFrame | None:
    """Read key, task and cluster of the scores beside a mix, each key once; None if there are none."""
    file = side_file(mix, "scores.parquet")
    if not file.is_file():
        return None
    try:
        table = read_scores(file)
    except InputError:
        if side_file(mix, "manifest.json").is_file():
            raise
        return None  # another file of that name
    return table.select(pl.col(name).cast(kind) for name, kind in LABELS.items()).unique("key", maintain_order=True)


def _picked(mix: Path, keys: list[str] | None, labels: pl.DataFrame) -> Picked:
    """Return the samples of a mix: by the keys of its manifest, or by its file."""
    pool = read_pool(files_of(mix), boxes="keep")
    shown = pool.rows.select("key", "row", "order").sort("order").drop("order")
    if keys is not None:
        where = shown.unique("key", keep="first", maintain_order=True)
        shown = pl.DataFrame({"key": keys}, schema={"key": pl.String}).join(where, "key", "left", maintain_order="left")
    samples = shown.join(labels, on="key", how="left", maintain_order="left")
    if samples["task"].null_count():
        read = read_labelled(mix).rows.select("key", read="task").unique("key", keep="first", maintain_order=True)
        samples = samples.join(read, on="key", how="left", maintain_order="left")
        samples = samples.with_columns(task=pl.coalesce("task", "read")).drop("read")
    return Picked(samples, pool.rows)
