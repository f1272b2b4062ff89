"""The samples of a pool sorted into strata and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.stages.balance._groups import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def tilts(pool: Pool, yes_share: float | None) -> NDArray[np.float64]:
    """Return how far each sample tilts to yes: its yes answers times the share of no, less the other way round.

    The tilts of a mix sum to zero exactly when `yes_share` of its yes and no answers are yes. Without a share nothing
    tilts.
    """
    if yes_share is None:
        return np.zeros(len(pool))
    yes, no = (pool.rows[name].fill_null(0).to_numpy().astype(np.float64) for name in ("n_yes", "n_no"))
    return np.asarray(np.round(yes * (1 - yes_share) - no * yes_share, 9))


def image_numbers(pool: Pool) -> NDArray[np.int32]:
    """Return the number of each row's image; a row without an image gets a number of its own.

    Images are numbered in the order of their first rows. O(n).
    """
    image = pool.rows.select("image")
    known = image.drop_nulls().unique(maintain_order=True).with_row_index("number")
    number = image.join(known, on="image", how="left", maintain_order="left")["number"]
    numbers = number.cast(pl.Int32).fill_null(-1).to_numpy().copy()
    none = np.flatnonzero(numbers < 0)
    numbers[none] = len(known) + np.arange(len(none))
    return numbers


def supply_weights(pool: Pool, image: NDArray[np.int32], per_image: int | None) -> NDArray[np.float64]:
    """Return how much of each row can be picked: 1, 0 with a problem, or ``per_image / rows of its image`` if less.

    Counted so, quotas within the supply can always be picked under the image limit: these weights are a feasible real
    choice, and the choices under two partitions have integer corners.
    """
    eligible = pool.eligible
    if per_image is None:
        return eligible.astype(np.float64)
    crowd = np.bincount(image[eligible], minlength=int(image.max(initial=-1)) + 1)[image]
    return np.where(eligible, np.minimum(1.0, per_image / np.maximum(crowd, 1)), 0.0)


def partition(
    pool: Pool, columns: Sequence[str], weight: NDArray[np.float64], yes_share: float | None, *, by_cluster: bool
) -> tuple[tuple[pl.DataFrame, NDArray[np.int32]], tuple[pl.DataFrame, NDArray[np.int32]]]:
    """Sort the samples into strata, which agree in some columns and in their tilt, and strata into cells by cluster.

    Parameters
    ----------
    pool
        n samples.
    columns
        What a stratum agrees in, beside its tilt.
    weight
        (n,) float64 how much of each row can be picked.
    yes_share
        As for `tilts`.
    by_cluster
        Whether cells differ in their cluster; else each stratum is one.

    Returns
    -------
    strata, cells
        Each as `number` returns it; cells have the columns `stratum` and `cluster`.
    """
    table = pool.rows.select("row", *(said(column) for column in columns)).with_columns(
        yes_tilt=pl.Series(tilts(pool, yes_share)),
        weight=pl.Series(weight),
        cluster=pool.rows["cluster"] if by_cluster else pl.lit(0, dtype=pl.Int32),
    )
    strata, stratum = number(table, [*columns, "yes_tilt"], "stratum")
    return (strata, stratum), number(table.with_columns(stratum=pl.Series(stratum)), ["stratum", "cluster"], "cell")


def number(table: pl.DataFrame, columns: Sequence[str], name: str) -> tuple[pl.DataFrame, NDArray[np.int32]]:
    """Group rows that agree in some columns.

    Parameters
    ----------
    table
        One line a row of the pool, with the columns and a `weight` that is 0 for rows that may not be selected.
    columns
        What the rows of a group agree in.
    name
        Name of the group's number.

    Returns
    -------
    groups
        One line a group in the order of its values: the number, the columns, and `supply` (int64), the summed weight.
    group
        (n,) int32: the number of each row's group, -1 where its weight is 0.
    """
    chosen = table.filter(pl.col("weight") > 0)
    groups = chosen.group_by(columns).agg(supply=(pl.col("weight").sum() - 1e-6).ceil().cast(pl.Int64)).sort(columns)
    groups = groups.with_row_index(name)
    group = table.select(*columns, "weight").join(groups, on=columns, how="left", maintain_order="left")
    numbers = group.select(pl.when(pl.col("weight") > 0).then(pl.col(name).cast(pl.Int32)).otherwise(-1).alias(name))
    return groups, numbers[name].to_numpy()
