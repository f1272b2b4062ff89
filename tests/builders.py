"""Small pools for tests: made of a few turns, in the order in which they are given."""

from __future__ import annotations

import polars as pl

from recipe.pool import SCHEMA, Pool


def make_pool(samples, *, vectors=None, **columns):
    """Build a pool of samples, each a list of (speaker, value) turns or one text; its keys rise with its rows.

    Columns of a pool may be given as lists in place of the made-up ones, and labels beside them.
    """
    n = len(samples)
    turns = [[("human", said)] if isinstance(said, str) else said for said in samples]
    words = [sum(len(value.split()) for _, value in talk) for talk in turns]
    made = {
        "row": range(n),
        "key": [f"{row:032x}" for row in range(n)],
        "id": [str(row) for row in range(n)],
        "source": ["made.json"] * n,
        "record": range(n),
        "order": range(n),
        "image": [None] * n,
        "turns": [[{"from": speaker, "value": value} for speaker, value in talk] for talk in turns],
        "extra": [None] * n,
        "task_name": [None] * n,
        "n_words": words,
        "n_tokens": words,
        "problem": [None] * n,
    }
    labels = {name: values for name, values in columns.items() if name not in SCHEMA}
    rows = pl.DataFrame({name: columns.get(name, list(made[name])) for name in SCHEMA}, schema=SCHEMA)
    return Pool(rows.with_columns(pl.Series(name, values, strict=False) for name, values in labels.items()), vectors)
