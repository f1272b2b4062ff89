"""Quotas. Each file: counts -> integers whose sum is exactly the size; the door fits several margins at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.quotas import REPORT, Quotas
from recipe.errors import ConfigError, SupplyError, nearest
from recipe.stages.balance._groups import Groups, members, share_out
from recipe.stages.balance._raking import Margin, rake, round_strata
from recipe.stages.balance._rounding import controlled_rounding
from recipe.stages.balance._strata import image_numbers, partition, supply_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.stages.balance._groups import Rule

__all__ = ["Groups", "apply", "make_quotas"]


def apply(pool: Pool, plan: Recipe, size: int) -> tuple[Pool, Quotas]:
    """Draw up the quotas of a mix of so many samples, and attach the cell of each sample and its quota."""
    asked = plan.balance
    quotas = make_quotas(
        pool,
        size,
        margins=asked.margins,
        yes_share=asked.yes_share,
        at_most=asked.at_most,
        per_image=asked.per_image,
    )
    return pool.with_labels(quotas.columns()), quotas


def make_quotas(
    pool: Pool,
    size: int,
    *,
    margins: Mapping[str, Rule],
    yes_share: float | None = None,
    at_most: Mapping[str, Mapping[str, int]] | None = None,
    per_image: int | None = None,
) -> Quotas:
    """Turn the margins of a recipe into an integer quota for each cell of the pool.

    A stratum holds the samples that agree in every margin but the cluster, and in how far they tilt to yes or no;
    strata are raked to the margins. A cell is the part of a stratum that lies in one cluster; cells are raked to their
    strata and to the cluster margin, and rounded so that strata are exact and clusters within one of their real share.

    Parameters
    ----------
    pool
        n samples with the columns that the margins name, and `n_yes` and `n_no` if `yes_share` is given.
    size
        Samples wanted, from 1.
    margins
        Column to rule: the name of a file in this room (or a callable) and its knobs. ``"task_name|dataset"`` is the
        first of several columns that a sample has. Where margins contradict each other the later one is met; the yes
        share goes before all.
    yes_share
        Wanted share of yes among all yes and no answers of the mix, 0..1; a sample with several answers counts with all
        of them. None to leave it open.
    at_most
        One column to value to the most samples that may come from it; clusters cannot be limited.
    per_image
        Most samples of one image; None for no limit.

    Returns
    -------
    Quotas
        Their sum is exactly `size`.

    Raises
    ------
    SupplyError
        If the eligible samples (under the image limit) are fewer than `size`.
    ConfigError
        If a margin or a limit names a column that the pool does not have, or limits are on two columns or on clusters.
    """
    limits = at_most or {}
    for column in (one for name in [*margins, *limits] for one in name.split("|")):
        if column not in pool.rows.columns:
            raise ConfigError(f"balance: no column '{column}' in the pool, {nearest(column, pool.rows.columns)}")
    if "cluster" in limits or len(limits) > 1:  # two partitions cannot both be rounded down and keep the size
        raise ConfigError(f"balance: expected at_most of one column, not of clusters, got {', '.join(limits)}")
    image = image_numbers(pool)
    weight = supply_weights(pool, image, per_image)
    room = int(weight.sum() + 1e-6)
    if not 1 <= size <= room:
        limit = f" with at most {per_image} an image" if per_image else ""
        raise SupplyError(f"size={size}: the pool can give 1 to {room} samples{limit}; ask for fewer, or add sources")

    columns = [column for column in dict.fromkeys([*margins, *limits]) if column != "cluster"]
    (strata, _), (cells, cell) = partition(pool, columns, weight, yes_share, by_cluster="cluster" in margins)
    asked = {
        column: _margin(pool, strata, column, rule, size) for column, rule in margins.items() if column != "cluster"
    }
    capped = {column: _limit(strata, column, most) for column, most in limits.items()}
    quota = _stratum_quotas(strata, list(asked.values()), list(capped.values()), size, tilted=yes_share is not None)
    report = [_report(strata, column, margin, quota) for column, margin in (asked | capped).items()]
    cell_quota = quota[cells["stratum"].to_numpy()]
    if "cluster" in margins:
        clusters = _margin(pool, cells, "cluster", margins["cluster"], size)
        cell_quota = _cell_quotas(cells, clusters, quota, size)
        report.append(_report(cells, "cluster", clusters, cell_quota))
    whole = pl.concat(report) if report else pl.DataFrame(schema=REPORT)
    of_stratum = cells["stratum"].cast(pl.Int32).to_numpy()
    limited = np.zeros(len(strata), np.bool_)
    for column, most in limits.items():
        limited |= strata[column].is_in(list(most)).to_numpy()
    return Quotas(cell, cell_quota, of_stratum, limited[of_stratum], image, per_image, whole)


def _margin(pool: Pool, groups: pl.DataFrame, column: str, rule: Rule, size: int) -> Margin:
    """Ask a rule how the size is shared among the values of a column."""
    values, code = np.unique(groups[column].to_numpy(), return_inverse=True)
    supply = np.bincount(code, groups["supply"].to_numpy()).astype(np.int64)
    return Margin(code, share_out(rule, values, supply, size, lambda: members(pool, column, values)))


def _limit(strata: pl.DataFrame, column: str, most: Mapping[str, int]) -> Margin:
    """Hold the values of a column to at most so many; a value that is not named has no limit."""
    values, code = np.unique(strata[column].to_numpy(), return_inverse=True)
    supply = np.bincount(code, strata["supply"].to_numpy()).astype(np.int64)
    for value in most:
        if value not in values:
            raise ConfigError(f"balance: at_most names {column} '{value}', {nearest(value, values.tolist())}")
    wanted = np.array([min(most.get(value, s), s) for value, s in zip(values.tolist(), supply.tolist(), strict=True)])
    return Margin(code, wanted, at_most=True)


def _stratum_quotas(
    strata: pl.DataFrame, asked: list[Margin], capped: list[Margin], size: int, *, tilted: bool
) -> NDArray[np.int64]:
    """Rake the strata to their margins and round them; limits hold even where that leaves other margins unmet."""
    supply = strata["supply"].to_numpy().copy()
    for limit in capped:
        supply = np.minimum(supply, limit.wanted[limit.code])
        if np.minimum(np.bincount(limit.code, supply), limit.wanted).sum() < size:
            raise SupplyError(f"size={size}: the limits of at_most leave {int(limit.wanted.sum())} samples; raise them")
    yes_tilt = strata["yes_tilt"].to_numpy() if tilted else None
    share = rake(supply, [*asked, *capped], size, yes_tilt=yes_tilt)
    first = capped[0] if capped else asked[-1] if asked else None  # the last of several margins is the one that is met
    return round_strata(share, supply, first, size, yes_tilt=yes_tilt)


def _cell_quotas(cells: pl.DataFrame, clusters: Margin, quota: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Spread the quota of each stratum over the clusters."""
    supply, stratum = cells["supply"].to_numpy(), cells["stratum"].to_numpy().astype(np.int64)
    share = rake(supply, [clusters, Margin(stratum, quota)], size)
    return controlled_rounding(stratum, clusters.code.astype(np.int64), share, quota)


def _report(groups: pl.DataFrame, column: str, margin: Margin, quota: NDArray[np.int64]) -> pl.DataFrame:
    """List what each value of a margin can supply, was asked for, and is given."""
    values, code = np.unique(groups[column].cast(pl.String).to_numpy(), return_inverse=True)
    wanted = np.zeros(len(values), np.int64)
    wanted[code] = margin.wanted[margin.code]
    return pl.DataFrame(
        {
            "margin": [column] * len(values),
            "value": values.astype(str).tolist(),
            "supply": np.bincount(code, groups["supply"].to_numpy()).astype(np.int64),
            "wanted": wanted,
            "quota": np.bincount(code, quota).astype(np.int64),
        },
        schema=REPORT,
    )
