"""Labels of every sample: task, kind of answer, data set, concepts, problems. Each file: pool -> table of n labels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from recipe.config.calls import call
from recipe.config.step import Step
from recipe.config.writers import holds as held_by
from recipe.stages import checkpoint
from recipe.stages.tag import concepts

if TYPE_CHECKING:
    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool

TAGGERS = (
    "answer",
    "task",
    "dataset",
    "modality",
    "trouble",
)  # these need the sample alone; concepts need a list of keywords too


def apply(pool: Pool, plan: Recipe) -> Pool:
    """Attach the labels that depend on each sample alone, and refuse samples with a problem."""
    known = concepts.keywords_of(plan.tag.concepts)
    if plan.tag.min_frequency:
        pool = checkpoint.enter(pool, "keywords", known=known.to_dicts())
        counts = checkpoint.by_shard(pool, partial(concepts.count, known=known), label="tag: keywords")
        known = concepts.frequent(known, counts, plan.tag.min_frequency, len(pool))
    held = tuple(sorted(held_by(plan.write.format)))
    pool = checkpoint.enter(pool, "tag", taggers=TAGGERS, known=known.to_dicts(), holds=held)
    labels = pl.concat(checkpoint.by_shard(pool, partial(label, known=known, holds=held), label="tag"), rechunk=False)
    return pool.refuse(labels["problem"]).with_labels(labels.drop("problem"))


def label(shard: Pool, known: pl.DataFrame, holds: tuple[str, ...] = ()) -> pl.DataFrame:
    """Compute all labels of a shard of a pool.

    Parameters
    ----------
    shard
        m samples.
    known
        Concepts and their keywords, as `recipe.stages.tag.concepts.keywords_of` returns them.
    holds
        What the writer of the mix can hold, which decides what is trouble.

    Returns
    -------
    polars.DataFrame
        m rows: the columns of every tagger.
    """
    knobs = {name: {"holds": holds} if name == "trouble" else {} for name in TAGGERS}
    labels: list[pl.DataFrame] = [call("tag", Step(name, knobs[name]), shard) for name in TAGGERS]
    return pl.concat([*labels, concepts.concepts_of(shard, known)], how="horizontal")
