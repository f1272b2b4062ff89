"""Quotas. Each file: counts -> integers whose sum is exactly the size; this one fits several margins at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.data.quotas import REPORT, Quotas
from recipe.errors import TAKE, ConfigError, SupplyError, nearest
from recipe.stages.balance._groups import Groups, members, share_out
from recipe.stages.balance._largest import largest
from recipe.stages.balance._raking import Margin, rake, round_strata
from recipe.stages.balance._rounding import controlled_rounding
from recipe.stages.balance._strata import check_columns, image_numbers, partition, supply_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.stages.balance._groups import Rule

__all__ = ["Groups", "apply", "make_quotas"]


def apply(pool: Pool, plan: Recipe, size: int) -> tuple[Pool, Quotas]:
    """Compute the quotas of a mix of `size` samples, and attach the cell of each sample and its quota.

    Where the recipe allows a shortfall, the mix is the largest one up to that size that stays balanced.
    """
    balance = plan.balance
    quotas_of = partial(
        make_quotas,
        pool,
        margins=balance.margins,
        yes_share=balance.yes_share,
        at_most=balance.at_most,
        per_image=balance.per_image,
    )
    allowed = plan.shortfall == "allow"
    quotas = largest(pool, size, balance, quotas_of) if allowed else quotas_of(size)
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

    A stratum is the set of samples that agree in every margin except the cluster, and in their tilt to yes or no;
    strata are raked to the margins. A cell is the intersection of a stratum with a cluster; cells are raked to their
    strata and to the cluster margin, and rounded so that strata are exact and clusters within one of their real share.

    Parameters
    ----------
    pool
        n samples with the columns that the margins name, and `n_yes` and `n_no` if `yes_share` is given.
    size
        Samples wanted, from 1.
    margins
        Column to rule: the name of a file in this folder (or a callable) and its knobs. ``"task_name|dataset"`` stands
        for the first of several columns in which a sample has a value. If margins contradict each other, the later one
        is met; the yes share takes precedence over all.
    yes_share
        Wanted share of yes among all yes and no answers of the mix, 0..1; a sample with several answers counts with all
        of them. None for no target.
    at_most
        One column to the maximum number of samples for some of its values; clusters cannot be limited.
    per_image
        Maximum number of samples per image; None for no limit.

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
    check_columns(pool, [*margins, *limits])
    if "cluster" in limits or len(limits) > 1:  # two partitions cannot both be rounded down and keep the size
        raise ConfigError(f"balance: expected at_most of one column, not of clusters, got {', '.join(limits)}")
    image = image_numbers(pool)
    weight = supply_weights(pool, image, per_image)
    room = int(weight.sum() + 1e-6)
    if not 1 <= size <= room:
        limit = f" with at most {per_image} per image" if per_image else ""
        tokens = int(pool.rows["n_tokens"].to_numpy()[pool.eligible].sum(dtype=np.int64))
        what = f"the pool can give 1 to {room} samples{limit} ({tokens:,} tokens in all)"
        raise SupplyError(f"size={size}: {what}; ask for fewer, add sources, or {TAKE}")

    columns = [column for column in dict.fromkeys([*margins, *limits]) if column != "cluster"]
    (strata, _), (cells, cell) = partition(pool, columns, weight, yes_share, by_cluster="cluster" in margins)
    wanted = {
        column: _margin(pool, strata, column, rule, size) for column, rule in margins.items() if column != "cluster"
    }
    capped = {column: _limit(strata, column, most) for column, most in limits.items()}
    quota = _stratum_quotas(strata, list(wanted.values()), list(capped.values()), size, tilted=yes_share is not None)
    report = [_report(strata, column, margin, quota) for column, margin in (wanted | capped).items()]
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
    """Divide the size among the values of a column by a rule."""
    values, code = np.unique(groups[column].to_numpy(), return_inverse=True)
    supply = np.bincount(code, groups["supply"].to_numpy()).astype(np.int64)
    return Margin(code, share_out(rule, values, supply, size, lambda: members(pool, column, values)))


def _limit(strata: pl.DataFrame, column: str, most: Mapping[str, int]) -> Margin:
    """Return the limits of the values of a column; a value that is not named has no limit."""
    values, code = np.unique(strata[column].to_numpy(), return_inverse=True)
    supply = np.bincount(code, strata["supply"].to_numpy()).astype(np.int64)
    for value in most:
        if value not in values:
            raise ConfigError(f"balance: at_most names {column} '{value}', {nearest(value, values.tolist())}")
    wanted = np.array([min(most.get(value, s), s) for value, s in zip(values.tolist(), supply.tolist(), strict=True)])
    return Margin(code, wanted, at_most=True)


def _stratum_quotas(
    strata: pl.DataFrame, wanted: list[Margin], capped: list[Margin], size: int, *, tilted: bool
) -> NDArray[np.int64]:
    """Rake the strata to their margins and round them; limits are kept even if other margins are then not met."""
    supply = strata["supply"].to_numpy().copy()
    for limit in capped:
        supply = np.minimum(supply, limit.wanted[limit.code])
        if np.minimum(np.bincount(limit.code, supply), limit.wanted).sum() < size:
            raise SupplyError(f"size={size}: the limits of at_most leave {int(limit.wanted.sum())} samples; raise them")
    yes_tilt = strata["yes_tilt"].to_numpy() if tilted else None
    share = rake(supply, [*wanted, *capped], size, yes_tilt=yes_tilt)
    first = capped[0] if capped else wanted[-1] if wanted else None  # the last of several margins is the one met
    return round_strata(share, supply, first, size, yes_tilt=yes_tilt)


def _cell_quotas(cells: pl.DataFrame, clusters: Margin, quota: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Spread the quota of each stratum over the clusters."""
    supply, stratum = cells["supply"].to_numpy(), cells["stratum"].to_numpy().astype(np.int64)
    share = rake(supply, [clusters, Margin(stratum, quota)], size)
    return controlled_rounding(stratum, clusters.code.astype(np.int64), share, quota)


def _report(groups: pl.DataFrame, column: str, margin: Margin, quota: NDArray[np.int64]) -> pl.DataFrame:
    """List the supply, the wanted number and the quota of each value of a margin."""
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
