"""What some samples ask and answer first, short enough to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recipe.io.arrow import take

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN = 160  # characters


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
