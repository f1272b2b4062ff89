"""A mix of several parts: each picks by its own rules from the rows that match it, and no sample is picked twice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from recipe.config.part_sizes import part_sizes
from recipe.config.sections import Balance
from recipe.config.size import read_size
from recipe.data.picks import Picks
from recipe.data.quotas import Quotas, join_quotas
from recipe.errors import ConfigError, SupplyError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.config.sections import Part
    from recipe.data.pool import Pool

    Rows = NDArray[np.bool_]
    Picked = tuple[Pool, Picks, Quotas]
    Done = tuple[list[tuple[str, Rows]], list[Picked]]

DUPLICATE = "dup:"  # the one problem that does not keep a row from a part of size "all"
TRIES = 5  # of the part without a size to fill up what others after it lack
UNBALANCED = Balance(margins={}, yes_share=None)  # for such a part, where there is nothing to balance


class Turn(NamedTuple):
    """What one part picks from, and how much."""

    name: str
    pool: Pool
    """The whole pool, in which every row that the part may not pick has a problem."""
    plan: Recipe
    """The recipe with the balance and the selector of the part, and without parts."""
    size: int
    """Samples to pick."""


def check_parts(plan: Recipe) -> None:
    """Refuse parts that no pool could satisfy.

    Raises
    ------
    ConfigError
        If more than one part has no size, or files are to be written by part and there are no parts.
    SupplyError
        If all sizes are counts, and do not fit the size of the recipe.
    """
    rest = [name for name, part in plan.parts.items() if part.size is None]
    if len(rest) > 1:
        raise ConfigError(f"parts: expected a size for all parts but one, got none for {', '.join(rest)}; give sizes")
    if plan.write.files == "parts" and not plan.parts:
        raise ConfigError("write.files=parts: expected a recipe with parts, got none; name them, or write one file")
    size, unit = read_size(plan.size)
    if plan.parts and unit == "samples" and not any(part.size == "all" for part in plan.parts.values()):
        part_sizes(plan, int(size), {})


def pick_parts(pool: Pool, plan: Recipe, count: int, pick: Callable[[Turn], Picked]) -> Picked:
    """Let one part after the other pick, and join their picks, quotas and scores.

    Parts of size "all" claim their rows first; any other row belongs to the part that picked it, or else to the last
    part that could have picked it.

    Parameters
    ----------
    pool
        n samples, labelled.
    plan
        A recipe with parts.
    count
        Samples of the whole mix.
    pick
        Function that scores the pool of a part and picks from it.

    Returns
    -------
    pool, picks, quotas
        The pool with `part` (str, null for rows that no part may pick), and with cells and scores, each row's from the
        part that it belongs to; the picks, part after part; and the quotas of all parts, whose cells are numbered so
        that no two parts share one.

    Raises
    ------
    ConfigError
        If a part asks for a column that the pool does not have, or no sample matches it.
    SupplyError
        If the sizes of the parts do not fit the size of the mix, or a part can supply less than it should.
    """
    matches = {name: _matches(pool, name, part) for name, part in plan.parts.items()}
    claimed, pool = _claims(pool, plan.parts, matches)
    sizes = part_sizes(plan, count, {name: int(rows.sum()) for name, rows in claimed.items()})
    turns, done = _filled(plan, sizes, partial(_in_turn, pool, plan, matches, claimed, pick))
    quotas = join_quotas({name: quotas for (name, _), (*_, quotas) in zip(turns, done, strict=True)})
    columns = done[0][0].rows.columns
    scores = [_merged(turns, done, step.label) for step in plan.score if step.label in columns]
    labels = pl.DataFrame([_part_of(turns, done, len(pool)), *quotas.columns(), *scores])
    return pool.with_labels(labels), _joined([picks for _, picks, _ in done]), quotas


def _in_turn(  # noqa: PLR0917  all but the sizes are the same at every try
    pool: Pool,
    plan: Recipe,
    matches: Mapping[str, Rows],
    claimed: Mapping[str, Rows],
    pick: Callable[[Turn], Picked],
    sizes: Mapping[str, int],
) -> Done:
    """Let one part after the other pick; return the rows that each could pick from, and what it picked."""
    left = pool.eligible & ~np.logical_or.reduce([np.zeros(len(pool), np.bool_), *claimed.values()])
    turns, done = [], []
    for name, part in plan.parts.items():
        available = claimed.get(name, matches[name] & left)
        own = {"balance": _balance(plan, name), "select": part.select or plan.select, "parts": {}}
        turn = Turn(name, _only(pool, available), plan.model_copy(update=own), sizes[name])
        try:
            scored, picks, quotas = pick(turn)
        except (ConfigError, SupplyError) as error:
            raise type(error)(f"parts.{name}: {error}") from None
        left[picks.rows] = False
        turns.append((name, available))
        done.append((scored, picks, quotas))
    return turns, done


def _filled(plan: Recipe, sizes: Mapping[str, int], in_turn: Callable[[Mapping[str, int]], Done]) -> Done:
    """Let all parts pick; what some cannot supply, where that is allowed, the part without a size picks instead."""
    found, size = in_turn(sizes), sum(sizes.values())
    rest = [part.size is None for part in plan.parts.values()]
    for _ in range(TRIES if any(rest) else 0):
        name, got = list(plan.parts)[rest.index(True)], np.array([len(picks) for _, picks, _ in found[1]])
        wanted = size - int(got[~np.array(rest)].sum())
        if wanted <= sizes[name]:
            break
        sizes = {**sizes, name: wanted}
        try:
            more = in_turn(sizes)
        except (ConfigError, SupplyError):  # it would leave none for a part after it
            break
        if sum(len(picks) for _, picks, _ in more[1]) <= got.sum():
            break
        found = more
    return found


class Side(NamedTuple):
    """One part of a finished mix, or a whole mix without parts."""

    pool: Pool
    """The pool, in which every row of other parts has a problem."""
    size: int
    """Samples picked."""
    balance: Balance
    asked: pl.DataFrame
    """Wanted and actual counts of each value of its margins, as `Quotas.report`."""


def sides_of(pool: Pool, picks: Picks, plan: Recipe, report: pl.DataFrame) -> list[Side]:
    """List what each part of a mix picked from, and by which balance; a mix without parts counts as one part.

    Parameters
    ----------
    pool, picks, plan
        The pool, the picks and the recipe of a mix.
    report
        The report of its quotas.

    Returns
    -------
    list of Side
        One for each part that picked anything.
    """
    if not plan.parts:
        return [Side(pool, len(picks), plan.balance, report)]
    belongs = {name: (pool.rows["part"] == name).fill_null(value=False).to_numpy() for name in plan.parts}
    sides = []
    for name, rows in belongs.items():
        if rows[picks.rows].any():
            own = report.filter(pl.col("margin").str.starts_with(f"{name}: "))
            unprefixed = own.with_columns(pl.col("margin").str.strip_prefix(f"{name}: "))
            sides.append(Side(_only(pool, rows), int(rows[picks.rows].sum()), _balance(plan, name), unprefixed))
    return sides


def part_counts(pool: Pool, picks: Picks, plan: Recipe) -> dict[str, int]:
    """Count the picks of each part, in the order of the parts; empty for a mix without parts."""
    if not plan.parts:
        return {}
    found = pool.rows["part"].gather(picks.rows)
    return {name: int((found == name).sum()) for name in plan.parts}


def _balance(plan: Recipe, name: str) -> Balance:
    """Return the balance that applies to a part."""
    part = plan.parts[name]
    return UNBALANCED if part.size == "all" else part.balance or plan.balance


def _matches(pool: Pool, name: str, part: Part) -> Rows:
    """Return a mask of the rows that match `where` of a part in every column, and `where_not` in none."""
    fits = np.ones(len(pool), np.bool_)
    for wanted, where in ((True, part.where), (False, part.where_not)):
        for column, values in where.items():
            if column not in pool.rows.columns or pool.rows[column].dtype.is_nested():
                known = [known for known in pool.rows.columns if not pool.rows[known].dtype.is_nested()]
                raise ConfigError(f"parts.{name}: no column '{column}' to match in the pool, {nearest(column, known)}")
            found = pool.rows[column].cast(pl.String).is_in(list(values)).fill_null(value=False).to_numpy()
            fits &= found == wanted
    return fits


def _claims(pool: Pool, parts: Mapping[str, Part], matches: dict[str, Rows]) -> tuple[dict[str, Rows], Pool]:
    """Return the rows of parts of size "all", and the pool in which their duplicates no longer have a problem."""
    problem = pool.rows["problem"]
    sound = (problem.is_null() | problem.str.starts_with(DUPLICATE)).fill_null(value=True).to_numpy()
    claimed: dict[str, Rows] = {}
    for name, part in parts.items():
        if part.size == "all":
            claimed[name] = matches[name] & sound
            sound = sound & ~claimed[name]
    if not claimed:
        return claimed, pool
    let_in = pl.Series(np.logical_or.reduce(list(claimed.values())))
    return claimed, pool.with_labels(pl.select(pl.when(~let_in).then(problem).alias("problem")))


def _only(pool: Pool, available: Rows) -> Pool:
    """Refuse every row that a part may not pick."""
    if not available.any():
        raise ConfigError("no eligible sample of the pool matches it; see the values of its columns in the scores")
    return pool.refuse(pl.select(pl.when(~pl.Series(available)).then(pl.lit("part"))).to_series())


def _part_of(turns: list[tuple[str, Rows]], done: list[Picked], n: int) -> pl.Series:
    """Name the part of each row."""
    number = np.full(n, len(turns), np.uint32)
    for i, ((_, available), _) in enumerate(zip(turns, done, strict=True)):
        number[available] = i
    for i, (_, picks, _) in enumerate(done):
        number[picks.rows] = i
    return pl.Series([*(name for name, _ in turns), None], dtype=pl.String).gather(number).alias("part")


def _merged(turns: list[tuple[str, Rows]], done: list[Picked], label: str) -> pl.Series:
    """Take the score of each row from the part that it belongs to; 0 for rows that belong to none."""
    scores = np.zeros(len(done[0][0]), np.float32)
    for (_, available), (scored, *_) in zip(turns, done, strict=True):
        scores[available] = scored.rows[label].to_numpy()[available]
    return pl.Series(label, scores)


def _joined(picks: list[Picks]) -> Picks:
    """Concatenate the picks of the parts; a term that a part does not have has a gain of 0 there."""
    terms = dict.fromkeys(term for one in picks for term in one.gains)
    gains = {term: np.concatenate([one.gains.get(term, np.zeros(len(one))) for one in picks]) for term in terms}
    values, bounds = [one.value for one in picks], [one.bound for one in picks]
    value = sum(v for v in values if v is not None) if None not in values else None
    bound = sum(b for b in bounds if b is not None) if None not in bounds else None
    return Picks(np.concatenate([one.rows for one in picks]), gains, value, bound)
