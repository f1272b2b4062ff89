"""Group the samples of a pool into strata and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.media import shown
from recipe.errors import ConfigError, nearest
from recipe.stages.balance._groups import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def tilts(pool: Pool, yes_share: float | None) -> NDArray[np.float64]:
    """Return how much each sample tilts to yes: ``n_yes * (1 - yes_share) - n_no * yes_share``.

    The tilts of a mix sum to zero exactly if a share of `yes_share` of its yes and no answers is yes. If `yes_share` is
    None, all tilts are 0.
    """
    if yes_share is None:
        return np.zeros(len(pool))
    yes, no = (pool.rows[name].fill_null(0).to_numpy().astype(np.float64) for name in ("n_yes", "n_no"))
    return np.asarray(np.round(yes * (1 - yes_share) - no * yes_share, 9))


def image_numbers(pool: Pool) -> NDArray[np.int32]:
    """Return the number of each row's image; a row without an image gets a number of its own.

    Images are told apart by `recipe.data.media.shown`, and numbered in the order of their first rows. O(n).
    """
    image = pool.rows.select(shown().alias("image"))
    known = image.drop_nulls().unique(maintain_order=True).with_row_index("number")
    number = image.join(known, on="image", how="left", maintain_order="left")["number"]
    numbers = number.cast(pl.Int32).fill_null(-1).to_numpy().copy()
    none = np.flatnonzero(numbers < 0)
    numbers[none] = len(known) + np.arange(len(none))
    return numbers


def supply_weights(pool: Pool, image: NDArray[np.int32], per_image: int | None) -> NDArray[np.float64]:
    """Return how much of each row can be picked: 1, 0 with a problem, or ``per_image / rows of its image`` if less.

    With these weights as supply, quotas can always be filled under the image limit: the weights are a feasible
    fractional selection, and the polytope of selections under two partitions has integral vertices.
    """
    eligible = pool.eligible
    if per_image is None:
        return eligible.astype(np.float64)
    crowd = np.bincount(image[eligible], minlength=int(image.max(initial=-1)) + 1)[image]
    return np.where(eligible, np.minimum(1.0, per_image / np.maximum(crowd, 1)), 0.0)


def check_columns(pool: Pool, names: Iterable[str]) -> None:
    """Raise if a margin or a limit is over a column that the pool does not have, or that holds lists."""
    for column in (one for name in names for one in name.split("|")):
        if column not in pool.rows.columns or pool.rows[column].dtype.is_nested():
            known = [name for name, kind in pool.rows.schema.items() if not kind.is_nested()]
            what = "holds lists" if column in pool.rows.columns else "is not in the pool"
            raise ConfigError(f"balance: the column {column!r:.80} {what}, {nearest(column, known)}")


def partition(
    pool: Pool, columns: Sequence[str], weight: NDArray[np.float64], yes_share: float | None, *, by_cluster: bool
) -> tuple[tuple[pl.DataFrame, NDArray[np.int32]], tuple[pl.DataFrame, NDArray[np.int32]]]:
    """Group the samples into strata, which agree in some columns and in their tilt, and strata into cells by cluster.

    Parameters
    ----------
    pool
        n samples.
    columns
        Columns in which the samples of a stratum agree, besides the tilt.
    weight
        (n,) float64 how much of each row can be picked.
    yes_share
        As for `tilts`.
    by_cluster
        Whether to split strata into cells by cluster; otherwise each stratum is one cell.

    Returns
    -------
    strata, cells
        Each as `number` returns it; cells have the columns `stratum` and `cluster`.
    """
    table = pool.rows.select("row", *(value_of(column) for column in columns)).with_columns(
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
        One line per row of the pool, with the columns and a `weight` that is 0 for rows that may not be selected.
    columns
        Columns in which the rows of a group agree.
    name
        Name of the column with the number of the group.

    Returns
    -------
    groups
        One line per group, in the order of its values: its number, the columns, and `supply` (int64), the sum of
        weights.
    group
        (n,) int32: the number of each row's group, -1 if its weight is 0.
    """
    chosen = table.filter(pl.col("weight") > 0)
    groups = chosen.group_by(columns).agg(supply=(pl.col("weight").sum() - 1e-6).ceil().cast(pl.Int64)).sort(columns)
    groups = groups.with_row_index(name)
    group = table.select(*columns, "weight").join(groups, on=columns, how="left", maintain_order="left")
    numbers = group.select(pl.when(pl.col("weight") > 0).then(pl.col(name).cast(pl.Int32)).otherwise(-1).alias(name))
    return groups, numbers[name].to_numpy()
