"""Opens a written mix again with its pool, to inspect it without selecting again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.recipe import Recipe
from recipe.data.picks import Picks
from recipe.data.pool import SCHEMA
from recipe.data.quotas import REPORT, Quotas
from recipe.errors import InputError
from recipe.io.families import side_file
from recipe.io.paths import path_of
from recipe.mix.manifest import Margin, beside, check_sources, is_unchanged, read_manifest, recipe_of
from recipe.mix.mix import Mix
from recipe.mix.scores import read_scores
from recipe.report.stats import read_stats
from recipe.stages import read
from recipe.stages.balance._strata import image_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from recipe.data.pool import Pool


def open_mix(path: str | Path, *, cache: str | Path | None = None) -> Mix:
    """Open a written mix again, from its own files and its sources; nothing is embedded or selected again.

    Parameters
    ----------
    path
        The mix; its manifest, scores and statistics are found beside it. For one file per part, the name without the
        part: ``mix.json`` for ``mix.stage1.json``.
    cache
        As for `select_mix`: with the cache that the mix was made with, its sources need not be read again.

    Returns
    -------
    Mix
        The original mix, without vectors.

    Raises
    ------
    InputError
        If a file is missing or does not belong to the others, or a source has changed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from recipe import select_mix
    >>> from recipe.demo import write_demo
    >>> with TemporaryDirectory() as folder:
    ...     mix = select_mix(write_demo(folder, images=4), size=20)
    ...     _ = mix.write(Path(folder, "mix.json"))
    ...     open_mix(Path(folder, "mix.json")).keys == mix.keys
    True
    """
    file = path_of(path, "path")
    if not (file.is_file() or side_file(file, "manifest.json").is_file()):
        raise InputError(f"{file}: expected a written mix, got no file; name one, or select it")
    if not side_file(file, "manifest.json").is_file():
        what = f"got one without {side_file(file, 'manifest.json').name} beside it"
        raise InputError(
            f"{file}: expected a mix that `recipe select` wrote, {what}; select a mix, or restore the file"
        )
    manifest = read_manifest(side_file(file, "manifest.json"))
    if not is_unchanged(file, manifest):
        raise InputError(f"{file}: expected the file that its manifest describes, got another; write it again")
    plan = Recipe.of(recipe_of(manifest, side_file(file, "manifest.json")), write={"path": str(file)})
    check_sources(manifest, plan, file, "use it where it was made, as by mix.report()")
    stats = read_stats(beside(file, "stats.json", manifest))
    scores = read_scores(beside(file, "scores.parquet", manifest))
    picked = scores.filter(pl.col("rank").is_not_null()).sort("rank")
    gains = {name[5:]: picked[name].to_numpy() for name in scores.columns if name.startswith("gain_")}
    value, bound = (None, None) if manifest["certificate"] is None else (manifest["certificate"], 1.0)
    picks = Picks(picked["row"].cast(pl.Int64).to_numpy(), gains, value, bound)
    labels = scores.select(pl.exclude("rank", "^gain.*$"))
    pool = _labelled(_sources(plan, cache, file), labels, file)
    pool = replace(pool, checkpoint=replace(pool.checkpoint, fidelity=manifest["fidelity"]))
    if pool.rows["key"].gather(picks.rows).to_list() != manifest["keys"]:
        raise InputError(f"{file}: its scores are of another mix than its manifest; write the mix again")
    return Mix(pool, picks, _quotas(pool, plan, manifest["margins"]), plan, stats)


def _quotas(pool: Pool, plan: Recipe, margins: list[Margin]) -> Quotas:
    """Return the quotas of the picks, as far as they were written.

    Rules that use vectors could not be computed again. The strata of cells are not written: only selectors use them.
    """
    cell = pool.rows["cell"].cast(pl.Int32).fill_null(-1).to_numpy()
    quota = np.zeros(int(cell.max(initial=-1)) + 1, np.int64)
    quota[cell[cell >= 0]] = pool.rows["cell_quota"].fill_null(0).cast(pl.Int64).to_numpy()[cell >= 0]
    report = pl.DataFrame(margins, schema=REPORT)
    alone, limited = np.arange(len(quota), dtype=np.int32), np.zeros(len(quota), np.bool_)
    return Quotas(cell, quota, alone, limited, image_numbers(pool), plan.balance.per_image, report)


def _sources(plan: Recipe, cache: str | Path | None, file: Path) -> Pool:
    """Read the sources again; relative paths start in the folder where the mix was selected."""
    try:
        return read.apply(plan, cache)
    except InputError as error:
        raise InputError(
            f"{file}: its sources cannot be read here: {error}; start in the folder where it was selected"
        ) from None


def _labelled(pool: Pool, labels: pl.DataFrame, file: Path) -> Pool:
    """Attach the written labels of each sample, if the samples are still the same."""
    if not pool.rows["key"].equals(labels["key"]):
        got = f"{len(pool):,} samples where it had {len(labels):,}" if len(pool) != len(labels) else "other samples"
        raise InputError(f"{file}: its sources have changed since, got {got}; restore them, or select again")
    fresh = [name for name in labels.columns if name == "problem" or name not in SCHEMA]
    return replace(pool, rows=pool.rows.with_columns(labels[name] for name in fresh))
