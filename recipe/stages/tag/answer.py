"""Kind of answer: yes, no, letter, number, box, phrase, sentence or paragraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recipe.stages.tag._kinds import kind

if TYPE_CHECKING:
    from recipe.data.pool import Pool


def tag(pool: Pool) -> pl.DataFrame:
    """Label every sample with the most frequent kind of its answers; a tie goes to the kind listed first in the table.

    Parameters
    ----------
    pool
        n samples. The rules are in `recipe.stages.tag._kinds.KINDS`, in the order in which they are applied.

    Returns
    -------
    polars.DataFrame
        n rows: `answer` (str, null if there is no answer), `n_qas`, `n_yes`, `n_no` (u32: answered pairs, and those
        answered yes and no).

    Source: the selection balances "Yes" and "No" answers (SVIT, arXiv 2307.04087, data recipe); in a multi-turn sample
    every pair counts.

    Examples
    --------
    >>> from recipe import demo_pool
    >>> labels = tag(demo_pool(images=4))
    >>> labels.columns
    ['answer', 'n_qas', 'n_yes', 'n_no']
    """
    kinds = pool.qas.select("row", kind=kind()).drop_nulls()
    answer = (
        kinds.group_by("row", "kind")
        .len()
        .sort("row", "len", "kind", descending=[False, True, False])
        .group_by("row", maintain_order=True)
        .agg(answer=pl.col("kind").first().cast(pl.String))
    )
    counts = kinds.group_by("row").agg(
        n_qas=pl.len(), n_yes=(pl.col("kind") == "yes").sum(), n_no=(pl.col("kind") == "no").sum()
    )
    return (
        pool.rows.select("row")
        .join(answer.join(counts, on="row"), on="row", how="left", maintain_order="left")
        .select("answer", pl.col("n_qas", "n_yes", "n_no").fill_null(0).cast(pl.UInt32))
    )
