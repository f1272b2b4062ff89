"""What a rule is asked: the counts of the values of a column, and where it wants to know, which samples have each."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from recipe.config.registry import find
from recipe.config.step import Step
from recipe.data.groups import grouped_by_number
from recipe.errors import AlignmentError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.vectors import Vectors

    Rule = tuple[str | Callable[..., Any], Mapping[str, Any]] | tuple[str | Callable[..., Any], Mapping[str, Any], Any]


class Groups(NamedTuple):
    """The samples of each value of a column, and where they lie."""

    vectors: Vectors
    """(n, d) unit rows of the whole pool."""
    members: list[NDArray[np.int64]]
    """Rows of each value that may be selected, ascending; in the order of the counts that the rule is given."""


def said(column: str) -> pl.Expr:
    """Return a column as text, "" for nothing; of ``a|b`` the first that a sample has."""
    return pl.coalesce(pl.col(one).cast(pl.String) for one in column.split("|")).fill_null("").alias(column)


def members(pool: Pool, column: str, values: Sequence[Any] | NDArray[Any]) -> Groups:
    """Sort the eligible samples by the value of a column; O(n log n).

    Raises
    ------
    ConfigError
        If the pool has no vectors.
    """
    if pool.vectors is None:
        raise ConfigError("balance: this rule looks at vectors; expected a pool with vectors, embed it first")
    wanted = pl.Series("value", [str(value) for value in values], dtype=pl.String)
    number = pl.DataFrame({"value": wanted, "number": np.arange(len(wanted))})
    rows = pool.rows.select("row", value=said(column)).filter(pool.eligible)
    code = rows.join(number, on="value", how="left", maintain_order="left")["number"].fill_null(-1).to_numpy()
    row, known = rows["row"].to_numpy().astype(np.int64), code >= 0
    return Groups(pool.vectors, grouped_by_number(row[known], code[known], len(wanted)))


def share_out(
    rule: Rule, values: NDArray[Any], supply: NDArray[np.int64], size: int, groups: Callable[[], Groups]
) -> NDArray[np.int64]:
    """Ask a rule for (v,) int64 whose sum is the size; one that has a knob `groups` is told which samples there are."""
    name, knobs = rule[:2]
    function = find("balance", name)
    told = in_order(knobs, values)
    if looks(function):
        told["groups"] = groups()
    share = np.asarray(function(supply, size, **told))
    fits = share.shape == supply.shape and np.issubdtype(share.dtype, np.integer)
    if not fits or share.sum() != size or (share < 0).any() or (share > supply).any():
        what = f"expected ({len(supply)},) integers within the supply whose sum is {size}"
        got = f"shape={share.shape}, dtype={share.dtype}, sum={share.sum()}"
        raise AlignmentError(f"balance.{Step(name, {}).label}: {what}, got {got}; see `apportion` in proportional")
    return share


def looks(function: Callable[..., Any]) -> bool:
    """Tell whether a rule looks at the samples of each value."""
    return "groups" in inspect.signature(function).parameters


def in_order(knobs: Mapping[str, Any], values: NDArray[Any]) -> dict[str, Any]:
    """Return the knobs of a rule, with weights that are named by value in the order of the values."""
    known = dict(knobs)
    if isinstance(named := known.get("weights"), dict):
        known["weights"] = [named.get(value, 0) for value in values.tolist()]
    return known
