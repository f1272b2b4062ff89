"""Some samples of many, drawn by lot, to read: their text is touched, and no other."""

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


def draw_lots(rows: pl.DataFrame, among: NDArray[np.int64], n: int, where: Mapping[str, Any]) -> NDArray[np.int64]:
    """Draw some rows by the lots of their keys: what is drawn of a pool hangs on nothing else in it.

    Parameters
    ----------
    rows
        The table of a pool.
    among
        (m,) rows that may be drawn.
    n
        How many, at most; from 0.
    where
        ``task``, ``answer``, ``source``, ``cluster``, ``concept``: what they must have; ``seed``: draws others. None
        asks for nothing.

    Returns
    -------
    ndarray
        (at most n,) int64, in the order of their lots: the first of more are these.

    Raises
    ------
    ConfigError
        If a filter is unknown, its column was not attached, or no sample has the value.
    """
    asked = {name: value for name, value in where.items() if value is not None and name != "seed"}
    for name in where:
        if name not in (*FILTERS, "seed"):
            raise ConfigError(f"sample: expected a filter, got {name}=...; {nearest(name, (*FILTERS, 'seed'))}")
    if not isinstance(n, int) or n < 0:
        raise ConfigError(f"sample: expected a number of samples from 0, got n={n!r}")
    fits = np.ones(len(among), np.bool_)
    for name, value in asked.items():
        fits &= _fits(rows, among, name, value)
    found = among[fits]
    return shuffled(np.sort(found), rows["key"], seed=int(where.get("seed") or 0), label="look.sample")[:n]


def told(rows: pl.DataFrame, drawn: NDArray[np.int64]) -> pl.DataFrame:
    """Return what there is to read of some rows.

    Parameters
    ----------
    rows
        The table of a pool.
    drawn
        (k,) rows.

    Returns
    -------
    polars.DataFrame
        k rows: key, task, answer, cluster, source, image (labels that were not attached are left out), n_turns, and
        question and answer_text, the whole first question (without `<image>`) and the whole first answer.
    """
    names = [name for name in LABELS if name in rows.columns]
    first = {
        "question": said_first("human").str.replace_all("<image>", "", literal=True).str.strip_chars(),
        "answer_text": said_first("gpt"),
    }
    return take(rows, [*names, "turns"], drawn).select(*names, n_turns=pl.col("turns").list.len(), **first)


def _fits(rows: pl.DataFrame, among: NDArray[np.int64], name: str, value: object) -> NDArray[np.bool_]:
    """Return (m,) bool: whether a row has a value; raise if none has."""
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
    """Return the half sentence that helps; numbers are no words, so the nearest in spelling is no help."""
    if known and all(word.lstrip("-").isdigit() for word in known):
        numbers = sorted(map(int, known))
        return f"known: {numbers[0]} to {numbers[-1]}"
    return nearest(str(value), known)


def said_first(speaker: str) -> pl.Expr:
    """Return the whole first turn of a speaker, of the column `turns`; null where there is none."""
    turn = pl.element().struct
    return pl.col("turns").list.eval(turn.field("value").filter(turn.field("from") == speaker)).list.first()


def excerpts(rows: pl.DataFrame, chosen: NDArray[np.int64], *, asked: int = SHOWN, told: int = SHOWN) -> pl.DataFrame:
    """Return the first question and the first answer of some samples; of all others no text is touched.

    Parameters
    ----------
    rows
        The table of a pool.
    chosen
        (m,) row numbers.
    asked, told
        Characters of a question and of an answer, from 1; what is longer ends in an ellipsis.

    Returns
    -------
    polars.DataFrame
        m lines: `question` and `answer` (str, one line each, without `<image>`, empty where there is none).

    Examples
    --------
    >>> from recipe import demo_pool
    >>> import numpy as np
    >>> excerpts(demo_pool(images=2).rows, np.arange(3), asked=10)["question"].str.len_chars().max()
    10
    """
    turns = take(rows, ["turns"], chosen)
    return turns.select(question=_line(said_first("human"), asked), answer=_line(said_first("gpt"), told))


def _line(text: pl.Expr, most: int) -> pl.Expr:
    """Make one line of a text, of so many characters at most."""
    plain = text.fill_null("").str.replace_all("<image>", " ", literal=True)
    line = plain.str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(line.str.len_chars() > most).then(line.str.head(most - 1) + "…").otherwise(line)
