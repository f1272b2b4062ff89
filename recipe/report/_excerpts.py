"""The first question and answer of some samples, short enough to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recipe.tables import take

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recipe.pool import Pool


def excerpts(pool: Pool, rows: NDArray[np.int64], *, most: int = 160) -> pl.DataFrame:
    """Return what is asked and answered first; of all other samples no text is touched.

    Parameters
    ----------
    pool
        n samples.
    rows
        (m,) row numbers.
    most
        Characters, from 1; what is longer ends in an ellipsis.

    Returns
    -------
    polars.DataFrame
        m lines: `question` and `answer` (str, one line each, empty where there is none).

    Examples
    --------
    >>> from recipe import demo_pool
    >>> import numpy as np
    >>> excerpts(demo_pool(images=2), np.arange(3), most=10)["question"].str.len_chars().max()
    10
    """
    turns = take(pool.rows, ["turns"], rows).with_row_index("at").explode("turns").unnest("turns")
    plain = pl.col("value").str.replace_all("<image>", "", literal=True).str.replace_all(r"\s+", " ").str.strip_chars()
    short = pl.when(plain.str.len_chars() > most).then(plain.str.head(most - 1) + "…").otherwise(plain)
    said = (pl.col("value").filter(pl.col("from") == who).first().fill_null("") for who in ("human", "gpt"))
    shown = (
        turns.with_columns(short)
        .group_by("at", maintain_order=True)
        .agg(*(one.alias(name) for name, one in zip(("question", "answer"), said, strict=True)))
    )
    return shown.drop("at")
