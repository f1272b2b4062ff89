"""The conductor: the whole flow on one screen, and the mix that comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from recipe.balance import make_quotas
from recipe.budget import count_samples, fit_size
from recipe.config import Recipe, Step
from recipe.errors import ConfigError
from recipe.outcome import Mix
from recipe.pool import SCHEMA, Pool
from recipe.read import read_pool
from recipe.rooms import call, check_knobs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from recipe.quotas import Quotas

    Source = str | Path | Mapping[str, Any]
    Sources = Pool | Source | Sequence[Source]


def select_mix(
    sources: Sources | None = None,
    *,
    size: float | str | None = None,
    seed: int | None = None,
    recipe: Recipe | Mapping[str, Any] | str | Path | None = None,
    **knobs: Any,
) -> Mix:
    """Pick the samples that are worth training on.

    Parameters
    ----------
    sources
        Files, folders and globs of SVIT, LLaVA, Vision-Flan or MiniGPT-4 samples, or a pool that was read before (with
        vectors of your own, say). The recipe's own sources by default.
    size
        Samples in the mix: a count, a share of the eligible samples (0..1], or tokens ("20M tokens").
    seed
        The one seed of every random choice.
    recipe
        A recipe, a mapping, a YAML file, or the name of a preset; the defaults by default.
    **knobs
        Further fields of `Recipe`, as ``select="kcenter"`` or ``balance={"per_image": 3}``.

    Returns
    -------
    Mix
        The picks in pick order, with the scored pool they were picked from.

    Raises
    ------
    RecipeError
        If a source cannot be read, a knob is unknown, or the pool cannot supply the size.

    References
    ----------
    Zhao et al. 2023, SVIT (arXiv 2307.04087): a subset chosen for diversity and balance.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=10), size=50)
    >>> len(mix), len(set(mix.keys))
    (50, 50)
    """
    plan = _plan(recipe, sources, size=size, seed=seed, **knobs)
    pool = label_pool(sources if isinstance(sources, Pool) else open_sources(plan), plan)

    def pick(count: int) -> Mix:
        scored, quotas = score(pool, plan, count)
        return Mix(scored, call("select", plan.select, scored, quotas, seed=plan.seed), quotas, plan)

    return fit_size(plan.size, pool, pick)


def score_pool(
    sources: Sources | None = None,
    *,
    size: float | str | None = None,
    seed: int | None = None,
    recipe: Recipe | Mapping[str, Any] | str | Path | None = None,
    **knobs: Any,
) -> Pool:
    """Read, label, embed, cluster and score every sample, and pick none.

    Parameters
    ----------
    sources, size, seed, recipe, **knobs
        As for `select_mix`; the size matters to the score `balance` only.

    Returns
    -------
    Pool
        With vectors and the columns task, answer, concepts, flags, cluster, cell, cell_quota and one for each score.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> "novelty" in score_pool(demo_pool(images=10)).rows.columns
    True
    """
    plan = _plan(recipe, sources, size=size, seed=seed, **knobs)
    pool = label_pool(sources if isinstance(sources, Pool) else open_sources(plan), plan)
    return score(pool, plan, count_samples(plan.size, pool))[0]


def open_sources(plan: Recipe) -> Pool:
    """Read the sources of a recipe into one pool."""
    return read_pool([source.model_dump(exclude_none=True) for source in plan.sources], **plan.read.model_dump())


def label_pool(pool: Pool, plan: Recipe) -> Pool:
    """Attach what is known of each sample by itself and its company: labels, problems, vector, cluster."""
    for name, knobs in (("answer", {}), ("task", {}), ("concepts", plan.tag.model_dump()), ("trouble", {})):
        labels: pl.DataFrame = call("tag", Step(name, knobs), pool)
        if name == "trouble":
            pool = pool.refuse(labels["problem"])
            labels = labels.drop("problem")
        pool = pool.with_labels(labels)
    if plan.dedup.exact:
        pool = _drop_twins(pool, Step("exact", {}), plan)
    if plan.dedup.near is not None:
        knobs = {"threshold": plan.dedup.near, "across_images": plan.dedup.across_images}
        pool = _drop_twins(pool, Step("near", knobs), plan)
    if pool.vectors is None:
        pool = pool.with_vectors(call("embed", plan.embed, pool, seed=plan.seed))
    cluster = call("cluster", plan.cluster, pool.vectors, seed=plan.seed)
    return pool.with_labels(pl.DataFrame({"cluster": cluster}))


def score(pool: Pool, plan: Recipe, count: int) -> tuple[Pool, Quotas]:
    """Draw up the quotas of a mix of so many samples, and score every sample."""
    balance = plan.balance
    quotas = make_quotas(
        pool,
        count,
        margins=balance.margins,
        yes_share=balance.yes_share,
        at_most=balance.at_most,
        per_image=balance.per_image,
    )
    pool = pool.with_labels(quotas.columns())
    return pool.with_scores({step.label: call("score", step, pool) for step in plan.score}), quotas


def _drop_twins(pool: Pool, step: Step, plan: Recipe) -> Pool:
    """Refuse each duplicate, naming the key of the sample that is kept in its place."""
    keeper = call("dedup", step, pool, seed=plan.seed)
    twin = pl.Series(keeper) != pool.rows["row"].cast(pl.Int64)
    key = pl.Series(pool.rows["key"].gather(keeper))
    return pool.refuse(pl.select(pl.when(twin).then("dup:" + key).alias("problem")).to_series())


def _plan(recipe: Recipe | Mapping[str, Any] | str | Path | None, sources: Sources | None, **knobs: Any) -> Recipe:
    """Make the recipe and check the knobs of every room it names before anything is read."""
    if sources is not None and not isinstance(sources, Pool):
        knobs["sources"] = tuple(sources) if isinstance(sources, list | tuple) else (sources,)
    plan = Recipe.of(recipe, **knobs)
    rooms = {"embed": [plan.embed], "cluster": [plan.cluster], "select": [plan.select], "score": plan.score}
    labels = [step.label for step in plan.score]
    for label in labels:
        if labels.count(label) > 1 or label in SCHEMA:
            raise ConfigError(f"score: expected a name of its own for each score, got {', '.join(labels)}; rename one")
    for room, steps in (rooms | {"balance": plan.balance.margins.values()}).items():
        for step in steps:
            check_knobs(room, step.name, step.knobs)
    return plan
