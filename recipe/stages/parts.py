"""A mix of several parts: each picks by its own rules from what matches it, and no sample is picked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

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

TWIN = "dup:"  # the one problem that does not hold for a part that takes all there is
WHOLE = Balance(margins={}, yes_share=None)  # of such a part: there is nothing to balance


class Turn(NamedTuple):
    """A part when it is its turn to pick."""

    name: str
    pool: Pool
    """The whole pool, with every row refused that the part may not pick."""
    plan: Recipe
    """The recipe with the balance and the selector of the part, and without parts."""
    size: int
    """Samples it picks."""


def check_parts(plan: Recipe) -> None:
    """Refuse what no pool can make right: two parts of no size, or files by part without parts.

    Raises
    ------
    ConfigError
        In these cases.
    """
    rest = [name for name, part in plan.parts.items() if part.size is None]
    if len(rest) > 1:
        raise ConfigError(f"parts: expected a size for all parts but one, got none for {', '.join(rest)}; give sizes")
    if plan.write.files == "parts" and not plan.parts:
        raise ConfigError("write.files=parts: expected a recipe with parts, got none; name them, or write one file")


def pick_parts(pool: Pool, plan: Recipe, count: int, pick: Callable[[Turn], Picked]) -> Picked:
    """Let one part after the other pick, and put together what they made.

    Parts that take all there is have the first claim on their rows; apart from that a row belongs to the part that
    picked it, or to the last one that could have.

    Parameters
    ----------
    pool
        n samples, labelled.
    plan
        A recipe with parts.
    count
        Samples of the whole mix.
    pick
        Scores the pool of a part and picks from it.

    Returns
    -------
    pool, picks, quotas
        The pool with `part` (str, null for rows that no part may pick), cells and scores, each from the part that a row
        belongs to; the picks of the parts one after the other; and their quotas, with cells of their own.

    Raises
    ------
    ConfigError
        If a part asks for a column that the pool does not have, or no sample matches it.
    SupplyError
        If the other parts leave nothing for the part without a size, or a part can supply less than it should.
    """
    matches = {name: _matches(pool, name, part) for name, part in plan.parts.items()}
    claimed, pool = _claims(pool, plan.parts, matches)
    sizes = _sizes(plan.parts, count, {name: int(rows.sum()) for name, rows in claimed.items()})
    left = pool.eligible & ~np.logical_or.reduce([np.zeros(len(pool), np.bool_), *claimed.values()])
    turns, done = [], []
    for name, part in plan.parts.items():
        running = claimed.get(name, matches[name] & left)
        own = {"balance": _balance(plan, name), "select": part.select or plan.select, "parts": {}}
        turn = Turn(name, _only(pool, running), plan.model_copy(update=own), sizes[name])
        try:
            scored, picks, quotas = pick(turn)
        except (ConfigError, SupplyError) as error:
            raise type(error)(f"parts.{name}: {error}") from None
        left[picks.rows] = False
        turns.append((name, running))
        done.append((scored, picks, quotas))
    quotas = join_quotas({name: quotas for (name, _), (*_, quotas) in zip(turns, done, strict=True)})
    held = done[0][0].rows.columns
    scores = [_merged(turns, done, step.label) for step in plan.score if step.label in held]
    labels = pl.DataFrame([_part_of(turns, done, len(pool)), *quotas.columns(), *scores])
    return pool.with_labels(labels), _joined([picks for _, picks, _ in done]), quotas


class Side(NamedTuple):
    """A part of a mix that was picked, or a mix without parts."""

    pool: Pool
    """With every row of other parts refused."""
    size: int
    """Samples picked."""
    balance: Balance
    asked: pl.DataFrame
    """What was wanted and given of each value of its margins, as `Quotas.report`."""


def sides_of(pool: Pool, picks: Picks, plan: Recipe, report: pl.DataFrame) -> list[Side]:
    """List what each part of a mix picked from, and how; a mix without parts is its own only part.

    Parameters
    ----------
    pool, picks, plan
        Of a mix.
    report
        Of its quotas.

    Returns
    -------
    list of Side
        One a part that picked anything.
    """
    if not plan.parts:
        return [Side(pool, len(picks), plan.balance, report)]
    belongs = {name: (pool.rows["part"] == name).fill_null(value=False).to_numpy() for name in plan.parts}
    sides = []
    for name, rows in belongs.items():
        if rows[picks.rows].any():
            own = report.filter(pl.col("margin").str.starts_with(f"{name}: "))
            asked = own.with_columns(pl.col("margin").str.strip_prefix(f"{name}: "))
            sides.append(Side(_only(pool, rows), int(rows[picks.rows].sum()), _balance(plan, name), asked))
    return sides


def part_counts(pool: Pool, picks: Picks, plan: Recipe) -> dict[str, int]:
    """Count the picks of each part, which stand one part after the other; nothing for a mix without parts."""
    if not plan.parts:
        return {}
    found = pool.rows["part"].gather(picks.rows)
    return {name: int((found == name).sum()) for name in plan.parts}


def _balance(plan: Recipe, name: str) -> Balance:
    """Return the balance that holds for a part."""
    part = plan.parts[name]
    return WHOLE if part.size == "all" else part.balance or plan.balance


def _matches(pool: Pool, name: str, part: Part) -> Rows:
    """Tell which rows have one of the values that a part asks for in each column, and none that it shuns."""
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
    """Say which rows belong to parts that take all there is, and let twins in again that were refused for no more."""
    problem = pool.rows["problem"]
    sound = (problem.is_null() | problem.str.starts_with(TWIN)).fill_null(value=True).to_numpy()
    claimed: dict[str, Rows] = {}
    for name, part in parts.items():
        if part.size == "all":
            claimed[name] = matches[name] & sound
            sound = sound & ~claimed[name]
    if not claimed:
        return claimed, pool
    let_in = pl.Series(np.logical_or.reduce(list(claimed.values())))
    return claimed, pool.with_labels(pl.select(pl.when(~let_in).then(problem).alias("problem")))


def _sizes(parts: Mapping[str, Part], count: int, whole: Mapping[str, int]) -> dict[str, int]:
    """Turn the sizes of parts into counts; a share is one of the whole mix."""
    sizes: dict[str, int] = {}
    for name, part in parts.items():
        if name in whole:
            sizes[name] = whole[name]
        elif part.size is not None:
            number, unit = read_size(part.size)
            sizes[name] = max(1, round(number * count if unit == "share" else number))
    for name in parts.keys() - sizes.keys():
        taken = sum(sizes.values())
        if taken >= count:
            raise SupplyError(
                f"size={count}: the other parts take {taken} and leave none to parts.{name}; ask for more"
            )
        sizes[name] = count - taken
    return sizes


def _only(pool: Pool, running: Rows) -> Pool:
    """Refuse every row that a part may not pick."""
    if not running.any():
        raise ConfigError("no eligible sample of the pool matches it; see the values of its columns in the scores")
    return pool.refuse(pl.select(pl.when(~pl.Series(running)).then(pl.lit("part"))).to_series())


def _part_of(turns: list[tuple[str, Rows]], done: list[Picked], n: int) -> pl.Series:
    """Name the part of each row."""
    number = np.full(n, len(turns), np.uint32)
    for i, ((_, running), _) in enumerate(zip(turns, done, strict=True)):
        number[running] = i
    for i, (_, picks, _) in enumerate(done):
        number[picks.rows] = i
    return pl.Series([*(name for name, _ in turns), None], dtype=pl.String).gather(number).alias("part")


def _merged(turns: list[tuple[str, Rows]], done: list[Picked], label: str) -> pl.Series:
    """Take the score of each row from the part that it belongs to; 0 for rows that belong to none."""
    scores = np.zeros(len(done[0][0]), np.float32)
    for (_, running), (scored, *_) in zip(turns, done, strict=True):
        scores[running] = scored.rows[label].to_numpy()[running]
    return pl.Series(label, scores)


def _joined(picks: list[Picks]) -> Picks:
    """Put picks one after the other; a term that a part does not have gains nothing there."""
    terms = dict.fromkeys(term for one in picks for term in one.gains)
    gains = {term: np.concatenate([one.gains.get(term, np.zeros(len(one))) for one in picks]) for term in terms}
    values, bounds = [one.value for one in picks], [one.bound for one in picks]
    value = sum(v for v in values if v is not None) if None not in values else None
    bound = sum(b for b in bounds if b is not None) if None not in bounds else None
    return Picks(np.concatenate([one.rows for one in picks]), gains, value, bound)
