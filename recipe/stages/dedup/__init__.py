"""Duplicates. Each file: pool -> (n,) row of the sample that is kept in place of each one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.config.calls import call
from recipe.config.registry import find
from recipe.config.step import Step
from recipe.data.checkpoint import SHARD
from recipe.data.media import shown
from recipe.data.pool import Pool
from recipe.data.vectors import release
from recipe.stages import checkpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.checkpoint import Shards


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Refuse exact and near duplicates, with the key of the sample that is kept as the problem."""
    if plan.dedup.exact:
        pool = _refuse(pool, call("dedup", Step("exact", {}), pool))
    pool = checkpoint.enter(pool, "dedup", exact=plan.dedup.exact)
    if plan.dedup.near is None:
        return pool
    knobs = {"threshold": plan.dedup.near, "across_images": plan.dedup.across_images, "seed": plan.seed}
    pool = checkpoint.enter(pool, "near", **knobs)
    groups = [np.flatnonzero(pool.eligible)] if plan.dedup.across_images else _image_groups(pool)
    near = partial(_near, pool.checkpoint.shards or pool, knobs)
    keeper = np.arange(len(pool))
    for duplicates, kept in checkpoint.by_task(pool, near, groups, label="dedup: near"):
        keeper[duplicates] = kept
    return _refuse(pool, keeper)


def apply_to_vectors(pool: Pool, plan: Recipe) -> Pool:
    """Refuse semantic duplicates: samples whose vector is close to that of a kept one, if the recipe says so."""
    if plan.dedup.semantic is None:
        return pool
    step = Step("semantic", {"threshold": plan.dedup.semantic})
    pool = checkpoint.enter(pool, "semantic", step)
    keeper = checkpoint.whole(pool, "keeper.npy", lambda: call("dedup", step, pool))
    release(pool.vectors)
    return _refuse(pool, np.array(keeper))


def _image_groups(pool: Pool) -> list[NDArray[np.int64]]:
    """Split the eligible samples that share their image with others into groups of about a shard's size by image."""
    rows = pool.rows.select("row", shown().fill_null("").alias("image")).filter(pool.eligible)
    crowded = rows.filter(pl.len().over("image") > 1).sort("image", "row")
    ends = np.flatnonzero((crowded["image"] != crowded["image"].shift(-1)).fill_null(value=True).to_numpy()) + 1
    cuts = ends[np.unique(np.searchsorted(ends, np.arange(SHARD, len(crowded), SHARD)))]
    groups = np.split(crowded["row"].to_numpy().astype(np.int64), cuts)
    return [np.sort(group) for group in groups if len(group)]


def _near(where: Pool | Shards, knobs: dict[str, Any], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find near duplicates among some rows: (2, m) duplicates and their keepers."""
    table = where.rows if isinstance(where, Pool) else where.table()
    fresh = (pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.lit(None, dtype=pl.String).alias("problem"))
    keeper = find("dedup", "near")(Pool(table[rows].with_columns(fresh)), **knobs)
    duplicates = np.flatnonzero(keeper != np.arange(len(keeper)))
    return np.stack([rows[duplicates], rows[keeper[duplicates]]])


def _refuse(pool: Pool, keeper: NDArray[np.int64]) -> Pool:
    """Refuse each row whose keeper is another row."""
    duplicates = np.flatnonzero(keeper != np.arange(len(pool)))
    named = pl.DataFrame({"row": duplicates, "problem": "dup:" + pool.rows["key"].gather(keeper[duplicates])})
    rows = pool.rows.select("row").join(named.cast({"row": pl.UInt32}), on="row", how="left", maintain_order="left")
    return pool.refuse(rows["problem"])
