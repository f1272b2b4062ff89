"""The text of the turns of samples, without `<image>` and without instructions on how to answer."""

from __future__ import annotations

import polars as pl


def turn_texts(turns: pl.Series, prompts: str, speaker: str | None = None) -> pl.DataFrame:
    """List the turns of samples: `row`, from 0, and `value`, without `<image>` and without matches of `prompts`.

    Parameters
    ----------
    turns
        (n,) lists of turns, as a pool has them.
    prompts
        A regular expression for instructions on how to answer; the empty one matches nothing.
    speaker
        ``"human"`` or ``"gpt"``; None for the turns of both.
    """
    table = pl.DataFrame({"turns": turns}).with_row_index("row").explode("turns", empty_as_null=False, keep_nulls=False)
    table = table.unnest("turns").with_columns(pl.col("row").cast(pl.Int64))
    if speaker is not None:
        table = table.filter(pl.col("from") == speaker)
    return table.select("row", value=bare("value", prompts))


def bare(column: str, prompts: str) -> pl.Expr:
    """Remove `<image>` and instructions on how to answer from texts."""
    text = pl.col(column).str.replace_all("<image>", " ", literal=True)
    return text.str.replace_all(prompts, "\n") if prompts else text
