"""How many samples of each kind the margins would take if supply were unlimited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.calls import guarded, lend
from recipe.config.knobs import shown
from recipe.config.registry import find, home
from recipe.config.step import Step
from recipe.errors import AlignmentError, ConfigError
from recipe.stages.balance._groups import in_order, share_out, uses_groups
from recipe.stages.balance._raking import Margin, rake
from recipe.stages.balance._rounding import largest_remainder
from recipe.stages.balance._strata import check_columns, image_numbers, partition, supply_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.sections import Balance
    from recipe.data.pool import Pool
    from recipe.stages.balance._groups import Rule


def wishes(
    pool: Pool, size: int, balance: Balance, report: pl.DataFrame | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many samples like each one a mix would take if supply were unlimited.

    Cells are raked to the margins as in `make_quotas`, from the pool's own shares, but without bounds: the shares that
    a rule wants are not reduced to the supply of a value. O(n) plus the cost of raking.

    Parameters
    ----------
    pool
        n samples, labelled; vectors are not needed.
    size
        Samples in the mix.
    balance
        Its margins, share of yes, and limit on images. For a rule without a function `weights`, its result is used.
    report
        The report of its quotas, which has the wanted numbers of rules that use vectors.

    Returns
    -------
    demand, supply
        (n,) float64 each: how many samples like this row are wanted, and how much of the row can be picked. The demand
        sums to `size`; if it is above the supply, the pool has too few samples like this row.
    """
    margins: Mapping[str, Rule] = balance.margins
    yes_share = balance.yes_share
    check_columns(pool, margins)
    weight = supply_weights(pool, image_numbers(pool), balance.per_image)
    columns = [column for column in margins if column != "cluster"]
    (strata, _), (cells, cell) = partition(pool, columns, weight, yes_share, by_cluster="cluster" in margins)
    yes_tilt = None if yes_share is None else strata["yes_tilt"].to_numpy()
    demands = [_demand(strata, column, margins[column], size, report) for column in columns]
    wanted = rake(strata["supply"].to_numpy() * size, demands, size, yes_tilt=yes_tilt)
    stratum = cells["stratum"].to_numpy().astype(np.int64)
    if "cluster" in margins:
        whole = largest_remainder(wanted, size, strata["supply"].to_numpy() * size)
        both = [_demand(cells, "cluster", margins["cluster"], size, report), Margin(stratum, whole)]
        wanted = rake(cells["supply"].to_numpy() * size, both, size)
    else:
        wanted = wanted[stratum]
    supply = np.bincount(cell[cell >= 0], weight[cell >= 0], len(cells))
    return np.where(cell >= 0, (wanted / np.maximum(supply, 1e-12))[cell] * weight, 0.0), weight


def _demand(groups: pl.DataFrame, column: str, rule: Rule, size: int, report: pl.DataFrame | None) -> Margin:
    """Divide the size among the values of a column by a rule, as if supply were unlimited."""
    values, code = np.unique(groups[column].to_numpy(), return_inverse=True)
    supply = np.bincount(code, groups["supply"].to_numpy()).astype(np.int64)
    name, knobs = rule[:2]
    weights = getattr(home("balance", name), "weights", None)
    if uses_groups(find("balance", name)):
        if report is None:
            raise ConfigError(f"balance: expected the report of the quotas for the rule {name}, got none; pass it")
        by_value = dict(report.filter(pl.col("margin") == column).select("value", "wanted").iter_rows())
        share = np.array([by_value.get(str(value), 0) for value in values.tolist()], np.float64)
    elif "weights" in knobs:
        share = np.asarray(in_order(knobs, values)["weights"], np.float64)
    elif weights is not None:
        with guarded(name, "weights"):
            share = np.asarray(weights(lend(supply), **knobs), np.float64)
        if share.shape != supply.shape or not np.isfinite(share).all() or (share < 0).any() or share.sum() <= 0:
            what = f"expected ({len(supply)},) weights from 0, one at least above"
            raise AlignmentError(f"balance.{Step(name, {}).label}.weights: {what}, got {shown(share)}; correct them")
    else:
        share = share_out(rule, values, supply, size).astype(np.float64)
    return Margin(code, largest_remainder(share / share.sum() * size, size, supply * size))
