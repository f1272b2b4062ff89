"""From sources and a recipe to a mix or a scored pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.config.resolve import complete
from recipe.engine import running
from recipe.engine.timing import stage
from recipe.mix.mix import Mix
from recipe.mix.plan import make_plan
from recipe.mix.size import count_samples, fit_size
from recipe.stages import flow
from recipe.stages.read import sort_out

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.engine import Name as Engine
    from recipe.stages.read._sources.given import Sources


def select_mix(
    sources: Sources | None = None,
    *,
    size: float | str | None = None,
    seed: int | None = None,
    recipe: Recipe | Mapping[str, Any] | str | Path | None = None,
    cache: str | Path | None = None,
    engine: Engine = "auto",
    workers: int | None = None,
    **knobs: Any,
) -> Mix:
    """Pick the samples that are worth training on.

    Parameters
    ----------
    sources
        Files, folders and globs of samples; samples in memory, as for `read_pool`: records in a list or from an
        iterator, a table, a `datasets.Dataset`; or a pool that was read before (with vectors of your own, for example).
        The recipe's sources by default. A mix of samples in memory cannot be rebuilt from its manifest alone.
    size
        Samples in the mix: a count, a share of the eligible samples (0..1], or tokens ("20M tokens").
    seed
        The one seed of every random choice.
    recipe
        A recipe, a mapping, a YAML file, or the name of a preset; the defaults by default.
    cache
        A folder (or URL for fsspec) where every stage stores its results, so that a killed run continues and a run with
        another size embeds nothing again. None, the default, stores nothing.
    engine, workers
        Where the work is done, see `recipe.engine.running`; the mix is the same.
    **knobs
        Further fields of `Recipe`, as ``select="kcenter"``, ``balance={"per_image": 3}``, or ``shortfall="allow"`` to
        take the most that keeps the share of yes and all limits if the pool cannot give the size.

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
    >>> turns = [{"from": "human", "value": "What bird is it?"}, {"from": "gpt", "value": "A jay."}]
    >>> select_mix([{"id": "a", "image": "a.jpg", "conversations": turns}], size=1)[0]["id"]
    'a'
    """
    given = sort_out(sources)
    plan = complete(make_plan(recipe, given, size=size, seed=seed, **knobs))
    with running(engine, workers):
        pool = flow.label(flow.read(given, plan, cache), plan)
        mix = fit_size(plan.size, pool, lambda size: Mix(*flow.pick(pool, plan, size), plan), plan.shortfall)
        with stage("explain"):
            return mix.explained()


def score_pool(
    sources: Sources | None = None,
    *,
    size: float | str | None = None,
    seed: int | None = None,
    recipe: Recipe | Mapping[str, Any] | str | Path | None = None,
    cache: str | Path | None = None,
    engine: Engine = "auto",
    workers: int | None = None,
    **knobs: Any,
) -> Pool:
    """Read, label, embed, cluster and score every sample, and pick none.

    Parameters
    ----------
    sources, size, seed, recipe, cache, engine, workers, **knobs
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
    given = sort_out(sources)
    plan = make_plan(recipe, given, size=size, seed=seed, **knobs)
    with running(engine, workers):
        pool = flow.label(flow.read(given, plan, cache), plan)
        return flow.rate(pool, plan, count_samples(plan.size, pool))[0]
