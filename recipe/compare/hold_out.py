"""The held-out samples of a pool: those of images sampled at random, which no mix may pick from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.config.size import read_size
from recipe.data.checkpoint import Checkpoint
from recipe.data.media import shown
from recipe.engine.seed import draws
from recipe.stages import cluster, dedup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool

HELD_OUT = "held_out"  # the problem of a sample whose image is held out
LAST = np.float64(2**64)


class OpenPool(NamedTuple):
    """The pool without the held-out samples, with the duplicates and clusters of each recipe.

    Parameters
    ----------
    pool
        n samples with labels and vectors, in memory; every held-out row is rejected.
    labelled
        Pools that were made for earlier recipes, by the knobs they depend on.
    """

    pool: Pool
    labelled: dict[str, Pool]

    @classmethod
    def without(cls, pool: Pool, out: NDArray[np.bool_]) -> OpenPool:
        """Reject the rows in `out`, even those with another problem: a part of size `all` would pick duplicates."""
        problem = pl.when(pl.Series(out)).then(pl.lit(HELD_OUT)).otherwise(pool.rows["problem"])
        return cls(replace(pool.with_labels(pl.select(problem.alias("problem"))), checkpoint=Checkpoint()), {})

    def seen_by(self, plan: Recipe) -> Pool:
        """Return the pool with a recipe's clusters, and its duplicates rejected."""
        textual = plan.dedup.model_copy(update={"semantic": None})
        duplicates, clusters = textual.model_dump_json(), f"{plan.cluster} {plan.seed}"
        both = f"{plan.dedup.model_dump_json()} {clusters}"
        if duplicates not in self.labelled:
            self.labelled[duplicates] = dedup.apply(self.pool, plan)
        if clusters not in self.labelled:
            self.labelled[clusters] = cluster.apply(self.pool, plan)
        if both not in self.labelled:
            pool = self.labelled[duplicates].with_labels(self.labelled[clusters].rows.select("cluster"))
            self.labelled[both] = dedup.apply_to_vectors(pool, plan)
        return self.labelled[both]


def draw_hold_out(
    pool: Pool, hold_out: float, *, seed: int, taken: Iterable[NDArray[np.int64]] = ()
) -> NDArray[np.bool_]:
    """Sample the images that are held out, and return which rows are theirs; O(n).

    Parameters
    ----------
    pool
        n samples.
    hold_out
        Share of the images, 0..1.
    seed
        Any integer.
    taken
        Rows of existing mixes: their images are not held out.

    Returns
    -------
    ndarray
        (n,) bool. Rows whose images have one file name are held out together, as are those of one picture of COCO's; a
        row is held out with any of its images, unless one of them is taken. A row without an image is on its own.
    """
    rows = pool.rows.select("row", name=pl.coalesce(shown(), "key").str.split("\n")).explode("name")
    stem = rows["name"].str.extract(r"([^/]+?)(?:\.[^./]*)?$").fill_null(rows["name"])
    out = pl.Series(draws(stem, seed=seed, label="compare.held") < np.uint64(hold_out * LAST))
    used = [stem.filter(rows["row"].is_in(pl.Series(some).implode())) for some in taken]
    free = ~stem.is_in(pl.concat(used).unique().implode()) if used else pl.Series([True]).new_from_index(0, len(stem))
    found = rows.select("row", out=out, free=free).group_by("row", maintain_order=True)
    return found.agg(pl.col("out").any() & pl.col("free").all())["out"].to_numpy()


def count_of(size: float | str, pool: Pool, hold_out: float) -> int:
    """Return how many samples a size is; a share is one of the samples that are not held out."""
    number, unit = read_size(size)
    return max(1, round(number * (1 - hold_out) * int(pool.eligible.sum())) if unit == "share" else int(number))
