"""The ten stages on one screen: read, tag, exclude, dedup, embed, cluster, then balance, score, select; write at last.

Each stage is a folder with one entry point, `apply`. `read` and `label` run once for a pool; `pick` runs once for each
size, or once for each part of a mix. `write` runs when the mix is given a path.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.checkpoint import Checkpoint
from recipe.engine.timing import stage
from recipe.engine.workers import dismiss
from recipe.stages import balance, checkpoint, cluster, dedup, embed, exclude, score, select, tag
from recipe.stages import read as reading
from recipe.stages.parts import pick_parts

if TYPE_CHECKING:
    from pathlib import Path

    from recipe.config.recipe import Recipe
    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.stages.parts import Turn
    from recipe.stages.read._sources.given import Inputs

    Picked = tuple[Pool, Picks, Quotas]


def read(given: Inputs, plan: Recipe, cache: str | Path | None) -> Pool:
    """Read the sources of a recipe and samples in memory; a pool given instead starts with an empty checkpoint."""
    if given.pool is not None:
        return replace(given.pool, checkpoint=Checkpoint(held=given.pool.checkpoint.held))
    with stage("read"):
        return reading.apply(plan, cache, held=given.held)


def label(pool: Pool, plan: Recipe) -> Pool:
    """Compute everything that does not depend on the mix: labels, problems, vectors, clusters."""
    with stage("tag"):
        pool = tag.apply(pool, plan)
    with stage("exclude"):  # before dedup: a duplicate of a leaked sample must not replace it
        pool = exclude.apply(pool, plan)
    with stage("dedup"):
        pool = dedup.apply(pool, plan)
    with stage("embed"):
        pool = embed.apply(pool, plan)
    dismiss()
    with stage("cluster"):
        pool = cluster.apply(pool, plan)
    with stage("semantic"):
        return dedup.apply_to_vectors(pool, plan)


def rate(pool: Pool, plan: Recipe, size: int) -> tuple[Pool, Quotas]:
    """Compute the quotas of a mix of `size` samples, and score every sample."""
    with stage("quotas"):
        pool, quotas = balance.apply(pool, plan, size)
    with stage("score"):
        return score.apply(pool, plan), quotas


def pick(pool: Pool, plan: Recipe, size: int) -> Picked:
    """Pick `size` samples of a labelled pool, part by part if the recipe has parts."""
    if plan.parts:
        return pick_parts(pool, plan, size, _pick_part)
    pool, quotas = rate(pool, plan, size)
    with stage("select"):
        return pool, select.apply(pool, plan, quotas), quotas


def _pick_part(turn: Turn) -> Picked:
    """Pick the samples of one part; its cached scores depend on the rows that it may pick."""
    rows = blake2b(np.packbits(turn.pool.eligible).data, digest_size=16).hexdigest()
    return pick(checkpoint.enter(turn.pool, "part", rows=rows), turn.plan, turn.size)
