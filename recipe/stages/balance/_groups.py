"""Call a rule with the counts of the values of a column, and if it needs them, with the samples of each value."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from recipe.config.calls import call
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
    """The samples of each value of a column, and the vectors of all."""

    vectors: Vectors
    """(n, d) unit rows of the whole pool."""
    members: list[NDArray[np.int64]]
    """Rows of each value that may be selected, ascending; in the order of the counts that the rule is given."""


def value_of(column: str) -> pl.Expr:
    """Return a column as text, "" for null; for ``a|b`` the first column in which a sample has a value."""
    return pl.coalesce(pl.col(one).cast(pl.String) for one in column.split("|")).fill_null("").alias(column)


def members(pool: Pool, column: str, values: Sequence[Any] | NDArray[Any]) -> Groups:
    """Group the eligible samples by the value of a column; O(n log n).

    Raises
    ------
    ConfigError
        If the pool has no vectors.
    """
    if pool.vectors is None:
        raise ConfigError("balance: this rule uses vectors; expected a pool with vectors, embed it first")
    wanted = pl.Series("value", [str(value) for value in values], dtype=pl.String)
    number = pl.DataFrame({"value": wanted, "number": np.arange(len(wanted))})
    rows = pool.rows.select("row", value=value_of(column)).filter(pool.eligible)
    code = rows.join(number, on="value", how="left", maintain_order="left")["number"].fill_null(-1).to_numpy()
    row, known = rows["row"].to_numpy().astype(np.int64), code >= 0
    return Groups(pool.vectors, grouped_by_number(row[known], code[known], len(wanted)))


def share_out(
    rule: Rule,
    values: NDArray[Any],
    supply: NDArray[np.int64],
    size: int,
    groups: Callable[[], Groups] | None = None,
) -> NDArray[np.int64]:
    """Return (v,) int64 with sum `size`, as a rule divides it; a rule with a knob `groups` is given the samples too."""
    name, knobs = rule[:2]
    arguments = in_order(knobs, values)
    if groups is not None and uses_groups(find("balance", name)):
        arguments["groups"] = groups()
    given = call("balance", Step(name, arguments), supply, size)
    try:
        share = np.array(given)
    except ValueError:  # lists of several lengths
        share = np.array(None)
    fits = share.shape == supply.shape and share.dtype.kind in "iu" and not isinstance(given, np.ma.MaskedArray)
    if not fits or sum(share.tolist()) != size or (share < 0).any() or (share > supply).any():
        what = f"expected ({len(supply)},) integers within the supply whose sum is {size}"
        got = f"shape={share.shape}, dtype={share.dtype}" if isinstance(given, np.ndarray) else type(given).__name__
        got += f", sum={sum(share.tolist())}, {share.min()} to {share.max()}" if fits and len(share) else ""
        raise AlignmentError(f"balance.{Step(name, {}).label}: {what}, got {got}; see `apportion` in proportional")
    return share.astype(np.int64)


def uses_groups(function: Callable[..., Any]) -> bool:
    """Return whether a rule uses the samples of each value."""
    return "groups" in inspect.signature(function).parameters


def in_order(knobs: Mapping[str, Any], values: NDArray[Any]) -> dict[str, Any]:
    """Return the knobs of a rule, in which weights by name of a value are a list in the order of the values."""
    known = dict(knobs)
    if isinstance(named := known.get("weights"), dict):
        known["weights"] = [named.get(value, 0) for value in values.tolist()]
    return known
