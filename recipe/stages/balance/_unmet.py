"""What the margins would take of each kind of sample, were supply no limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recipe.config.registry import find, home
from recipe.errors import ConfigError
from recipe.stages.balance._groups import in_order, looks
from recipe.stages.balance._raking import Margin, rake
from recipe.stages.balance._rounding import largest_remainder
from recipe.stages.balance._strata import image_numbers, partition, supply_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.sections import Balance
    from recipe.data.pool import Pool
    from recipe.stages.balance._groups import Rule


def wishes(
    pool: Pool, size: int, balance: Balance, asked: pl.DataFrame | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say how many samples like each one a mix would take if there were any number of each kind.

    Cells are raked to the margins as `make_quotas` does it, from the pool's own shares, but without its bounds: the
    shares that a rule asks for are not cut down to what a value can supply. O(n) plus what raking costs.

    Parameters
    ----------
    pool
        n samples, labelled; their vectors may be gone.
    size
        Samples in the mix.
    balance
        Its margins, share of yes, and limit on images. A rule without a function `weights` asks for what it returns.
    asked
        The report of its quotas: a rule that looks at vectors asks for what it asked for then.

    Returns
    -------
    wish, supply
        (n,) float64 each: what is wanted in the place of this row, and how much of it can be picked; the wishes sum to
        `size`, and a row whose wish is above its supply is short of companions.
    """
    margins: Mapping[str, Rule] = balance.margins
    yes_share = balance.yes_share
    weight = supply_weights(pool, image_numbers(pool), balance.per_image)
    columns = [column for column in margins if column != "cluster"]
    (strata, _), (cells, cell) = partition(pool, columns, weight, yes_share, by_cluster="cluster" in margins)
    yes_tilt = None if yes_share is None else strata["yes_tilt"].to_numpy()
    wanted_of = [_wish(strata, column, margins[column], size, asked) for column in columns]
    wanted = rake(strata["supply"].to_numpy() * size, wanted_of, size, yes_tilt=yes_tilt)
    stratum = cells["stratum"].to_numpy().astype(np.int64)
    if "cluster" in margins:
        whole = largest_remainder(wanted, size, strata["supply"].to_numpy() * size)
        both = [_wish(cells, "cluster", margins["cluster"], size, asked), Margin(stratum, whole)]
        wanted = rake(cells["supply"].to_numpy() * size, both, size)
    else:
        wanted = wanted[stratum]
    held = np.bincount(cell[cell >= 0], weight[cell >= 0], len(cells))
    return np.where(cell >= 0, (wanted / np.maximum(held, 1e-12))[cell] * weight, 0.0), weight


def _wish(groups: pl.DataFrame, column: str, rule: Rule, size: int, asked: pl.DataFrame | None) -> Margin:
    """Ask a rule how the size is shared among the values of a column, whatever they can supply."""
    values, code = np.unique(groups[column].to_numpy(), return_inverse=True)
    supply = np.bincount(code, groups["supply"].to_numpy()).astype(np.int64)
    name, knobs = rule[:2]
    function = find("balance", name)
    weights = getattr(home("balance", name), "weights", None)
    if looks(function):
        if asked is None:
            raise ConfigError(f"balance: what {name} asks for is told by the report of its quotas; give it as well")
        given = dict(asked.filter(pl.col("margin") == column).select("value", "wanted").iter_rows())
        share = np.array([given.get(str(value), 0) for value in values.tolist()], np.float64)
    elif "weights" in knobs:
        share = np.asarray(in_order(knobs, values)["weights"], np.float64)
    elif weights is not None:
        share = weights(supply, **knobs)
    else:
        share = function(supply, size, **knobs).astype(np.float64)
    return Margin(code, largest_remainder(share / share.sum() * size, size, supply * size))
