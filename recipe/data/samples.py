"""Random samples to read: only their own text is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from recipe.engine.seed import shuffled
from recipe.errors import ConfigError, nearest
from recipe.io.arrow import take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FILTERS = {"task": "task", "answer": "answer", "source": "source", "cluster": "cluster", "concept": "concepts"}
SHOWN = 160  # characters
LABELS = ("key", "task", "answer", "cluster", "source", "image")


def sample_rows(rows: pl.DataFrame, among: NDArray[np.int64], n: int, where: Mapping[str, Any]) -> NDArray[np.int64]:
    """Sample some rows at random by their keys: which come first does not depend on the rest of the pool.

    Parameters
    ----------
    rows
        The rows of a pool.
    among
        (m,) rows that may be drawn.
    n
        How many, at most; from 0.
    where
        ``task``, ``answer``, ``source``, ``cluster``, ``concept``: the value they must have, None for any; ``seed``:
        any integer.

    Returns
    -------
    ndarray
        (at most n,) int64, in random order: a larger sample begins with these.

    Raises
    ------
    ConfigError
        If a filter is unknown, its column was not attached, or no sample has the value.
    """
    filters = {name: value for name, value in where.items() if value is not None and name != "seed"}
    for name in where:
        if name not in (*FILTERS, "seed"):
            raise ConfigError(f"sample: expected a filter, got {name}=...; {nearest(name, (*FILTERS, 'seed'))}")
    if not isinstance(n, int) or n < 0:
        raise ConfigError(f"sample: expected a number of samples from 0, got n={n!r}")
    fits = np.ones(len(among), np.bool_)
    for name, value in filters.items():
        fits &= _fits(rows, among, name, value)
    found = among[fits]
    return shuffled(np.sort(found), rows["key"], seed=int(where.get("seed") or 0), label="look.sample")[:n]


def sample_table(rows: pl.DataFrame, drawn: NDArray[np.int64]) -> pl.DataFrame:
    """Return some rows as a table to read.

    Parameters
    ----------
    rows
        The rows of a pool.
    drawn
        (k,) rows.

    Returns
    -------
    polars.DataFrame
        k rows: key, task, answer, cluster, source, image (without labels that were not attached), n_turns, and question
        and answer_text, the whole first question (without `<image>`) and the whole first answer.
    """
    names = [name for name in LABELS if name in rows.columns]
    first = {
        "question": first_turn("human").str.replace_all("<image>", "", literal=True).str.strip_chars(),
        "answer_text": first_turn("gpt"),
    }
    return take(rows, [*names, "turns"], drawn).select(*names, n_turns=pl.col("turns").list.len(), **first)


def _fits(rows: pl.DataFrame, among: NDArray[np.int64], name: str, value: object) -> NDArray[np.bool_]:
    """Return (m,) bool: whether each row has a value; raise if none has."""
    column = FILTERS[name]
    if column not in rows.columns:
        raise ConfigError(f"sample: expected samples with the column {column}, got none; label them as by score_pool")
    values = take(rows, [column], among)[column]
    if isinstance(values.dtype, pl.List):
        fits = values.list.contains(str(value)).fill_null(value=False).to_numpy()
        values = values if fits.any() else values.explode()
    else:
        values = values.cast(pl.String)
        fits = (values == str(value)).fill_null(value=False).to_numpy()
    if not fits.any():
        known = values.drop_nulls().unique().to_list()
        raise ConfigError(
            f"sample: expected a {name} that some sample has, got {name}={value!r}; {_help(value, known)}"
        )
    return fits


def _help(value: object, known: list[str]) -> str:
    """Return a hint: the range of numbers, or the nearest name."""
    if known and all(word.lstrip("-").isdigit() for word in known):
        numbers = sorted(map(int, known))
        return f"known: {numbers[0]} to {numbers[-1]}"
    return nearest(str(value), known)


def first_turn(speaker: str) -> pl.Expr:
    """Return the whole first turn of a speaker in the column `turns`; null where there is none."""
    turn = pl.element().struct
    return pl.col("turns").list.eval(turn.field("value").filter(turn.field("from") == speaker)).list.first()


def excerpts(
    rows: pl.DataFrame, chosen: NDArray[np.int64], *, question: int = SHOWN, answer: int = SHOWN
) -> pl.DataFrame:
    """Return the beginning of the first question and of the first answer of some samples; no other text is loaded.

    Parameters
    ----------
    rows
        The rows of a pool.
    chosen
        (m,) row numbers.
    question, answer
        Maximum number of characters, from 1; a longer text is cut, with an ellipsis.

    Returns
    -------
    polars.DataFrame
        m rows: `question` and `answer` (str, one line each, without `<image>`, empty where there is none).

    Examples
    --------
    >>> from recipe import demo_pool
    >>> import numpy as np
    >>> excerpts(demo_pool(images=2).rows, np.arange(3), question=10)["question"].str.len_chars().max()
    10
    """
    turns = take(rows, ["turns"], chosen)
    return turns.select(question=_line(first_turn("human"), question), answer=_line(first_turn("gpt"), answer))


def _line(text: pl.Expr, most: int) -> pl.Expr:
    """Return a text as one line of at most so many characters."""
    plain = text.fill_null("").str.replace_all("<image>", " ", literal=True)
    line = plain.str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(line.str.len_chars() > most).then(line.str.head(most - 1) + "…").otherwise(line)
