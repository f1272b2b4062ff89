"""What the margins would take of each kind of sample, were supply no limit."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from recipe.balance._groups import members, told
from recipe.balance._raking import Margin, rake
from recipe.balance._rounding import largest_remainder
from recipe.balance._strata import image_numbers, partition, supply_weights
from recipe.rooms import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from recipe.balance._groups import Rule
    from recipe.pool import Pool


def wishes(
    pool: Pool,
    size: int,
    *,
    margins: Mapping[str, Rule],
    yes_share: float | None = None,
    per_image: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say how many samples like each one a mix would take if there were any number of each kind.

    Cells are raked to the margins as `make_quotas` does it, from the pool's own shares, but without its bounds: the
    shares that a rule asks for are not cut down to what a value can supply. O(n) plus what raking costs.

    Parameters
    ----------
    pool, size, margins, yes_share, per_image
        As for `make_quotas`. A rule without a function `weights` asks for what it returns.

    Returns
    -------
    wish, supply
        (n,) float64 each: what is wanted in the place of this row, and how much of it can be picked; the wishes sum to
        `size`, and a row whose wish is above its supply is short of companions.
    """
    weight = supply_weights(pool, image_numbers(pool), per_image)
    columns = [column for column in margins if column != "cluster"]
    (strata, _), (cells, cell) = partition(pool, columns, weight, yes_share, by_cluster="cluster" in margins)
    lean = None if yes_share is None else strata["lean"].to_numpy()
    asked = [_wish(pool, strata, column, margins[column], size) for column in columns]
    wanted = rake(strata["supply"].to_numpy() * size, asked, size, lean=lean)
    stratum = cells["stratum"].to_numpy().astype(np.int64)
    if "cluster" in margins:
        whole = largest_remainder(wanted, size, strata["supply"].to_numpy() * size)
        both = [_wish(pool, cells, "cluster", margins["cluster"], size), Margin(stratum, whole)]
        wanted = rake(cells["supply"].to_numpy() * size, both, size)
    else:
        wanted = wanted[stratum]
    held = np.bincount(cell[cell >= 0], weight[cell >= 0], len(cells))
    return np.where(cell >= 0, (wanted / np.maximum(held, 1e-12))[cell] * weight, 0.0), weight


def _wish(pool: Pool, groups: pl.DataFrame, column: str, rule: Rule, size: int) -> Margin:
    """Ask a rule how the size is shared among the values of a column, whatever they can supply."""
    values, code = np.unique(groups[column].to_numpy(), return_inverse=True)
    supply = np.bincount(code, groups["supply"].to_numpy()).astype(np.int64)
    name, knobs = rule[:2]
    room = import_module(f"recipe.balance.{name}") if isinstance(name, str) else None
    asked = getattr(room, "weights", None)
    known = told(find("balance", name), knobs, values, lambda: members(pool, column, values))
    if "weights" in known:
        share = np.asarray(known["weights"], np.float64)
    elif asked is not None:
        share = asked(supply, **known)
    else:
        share = find("balance", name)(supply, size, **known).astype(np.float64)
    return Margin(code, largest_remainder(share / share.sum() * size, size, supply * size))
