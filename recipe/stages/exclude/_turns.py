"""What is said in the turns of samples, without images and without what says how to answer."""

from __future__ import annotations

import polars as pl


def spoken(turns: pl.Series, prompts: str, speaker: str | None = None) -> pl.DataFrame:
    """List the turns of samples: `row`, from 0, and `value`, without `<image>` and without what `prompts` finds.

    Parameters
    ----------
    turns
        (n,) lists of turns, as a pool has them.
    prompts
        A regular expression of what says how to answer, not what is asked; the empty one finds nothing.
    speaker
        Whose turns; by default all.
    """
    table = pl.DataFrame({"turns": turns}).with_row_index("row").explode("turns", empty_as_null=False, keep_nulls=False)
    table = table.unnest("turns").with_columns(pl.col("row").cast(pl.Int64))
    if speaker is not None:
        table = table.filter(pl.col("from") == speaker)
    return table.select("row", value=bare("value", prompts))


def bare(column: str, prompts: str) -> pl.Expr:
    """Take `<image>` and what says how to answer out of texts."""
    said = pl.col(column).str.replace_all("<image>", " ", literal=True)
    return said.str.replace_all(prompts, "\n") if prompts else said
