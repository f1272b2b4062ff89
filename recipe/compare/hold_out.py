"""The part of a pool that judges: whole images, drawn by lot, that no mix may pick from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.config.size import read_size
from recipe.data.checkpoint import Checkpoint
from recipe.engine.seed import draws
from recipe.stages import cluster, dedup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool

HELD = "held_out"  # the problem of a sample whose image judges the mixes
LAST = np.float64(2**64)


class OpenPart(NamedTuple):
    """The pool without the held-out part, as recipes of their own deduplication and clusters see it.

    Parameters
    ----------
    pool
        n samples with labels and vectors, in memory; every held-out row is refused.
    labelled
        What several recipes share is made once.
    """

    pool: Pool
    labelled: dict[str, Pool]

    @classmethod
    def without(cls, pool: Pool, out: NDArray[np.bool_]) -> OpenPart:
        """Refuse some rows, whatever problem they had: not even a part that takes all there is may pick them."""
        held = pl.when(pl.Series(out)).then(pl.lit(HELD)).otherwise(pool.rows["problem"])
        return cls(replace(pool.with_labels(pl.select(held.alias("problem"))), checkpoint=Checkpoint()), {})

    def seen_by(self, plan: Recipe) -> Pool:
        """Return the pool with the duplicates that a recipe refuses, and its clusters."""
        loose = plan.dedup.model_copy(update={"semantic": None})
        twins, clusters = loose.model_dump_json(), f"{plan.cluster} {plan.seed}"
        whole = f"{plan.dedup.model_dump_json()} {clusters}"
        if twins not in self.labelled:
            self.labelled[twins] = dedup.apply(self.pool, plan)
        if clusters not in self.labelled:
            self.labelled[clusters] = cluster.apply(self.pool, plan)
        if whole not in self.labelled:
            pool = self.labelled[twins].with_labels(self.labelled[clusters].rows.select("cluster"))
            self.labelled[whole] = dedup.apply_to_vectors(pool, plan)
        return self.labelled[whole]


def hold_out(pool: Pool, held: float, *, seed: int, taken: Iterable[NDArray[np.int64]] = ()) -> NDArray[np.bool_]:
    """Draw the images that judge, and return which rows are theirs; O(n).

    Parameters
    ----------
    pool
        n samples.
    held
        Share of the images.
    seed
        Draws them.
    taken
        Rows of mixes that were made before: their images are left in.

    Returns
    -------
    ndarray
        (n,) bool. Rows whose images have one file name stand on one side; a row without an image by itself.
    """
    image = pool.rows.select(image=pl.coalesce(pl.col("image").str.extract(r"([^/]+?)(?:\.[^./]*)?$"), "key"))["image"]
    out = draws(image, seed=seed, label="compare.held") < np.uint64(held * LAST)
    used = [image.gather(rows) for rows in taken]
    return np.asarray(out & ~image.is_in(pl.concat(used).unique().implode()).to_numpy() if used else out)


def count_of(size: float | str, pool: Pool, held: float) -> int:
    """Return how many samples a size is, of those that every seed leaves to be picked."""
    number, unit = read_size(size)
    return max(1, round(number * (1 - held) * int(pool.eligible.sum())) if unit == "share" else int(number))
