"""The conductor: the whole flow on one screen, and the mix that comes out of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.config.recipe import Recipe
from recipe.config.registry import call, check_knobs
from recipe.config.resolve import complete
from recipe.data.pool import LABELS, SCHEMA, Pool
from recipe.data.vectors import release
from recipe.engine import distributed, running
from recipe.engine.timing import stage
from recipe.engine.workers import nodes
from recipe.errors import ConfigError
from recipe.io.cache import open_store
from recipe.mix.mix import Mix
from recipe.mix.size import count_samples, fit_size
from recipe.stages.balance import make_quotas
from recipe.stages.label import label_pool
from recipe.stages.parts import check_parts, pick_parts
from recipe.stages.read import read_pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.config.step import Step
    from recipe.data.picks import Picks
    from recipe.data.quotas import Quotas
    from recipe.engine import Name as Engine
    from recipe.stages.checkpoint import Trail
    from recipe.stages.label import Labelled
    from recipe.stages.parts import Turn

    Source = str | Path | Mapping[str, Any]
    Sources = Pool | Source | Sequence[Source]

KEPT = ("novelty", "density", "uniqueness")  # scores that take minutes in a large pool


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
        Files, folders and globs of SVIT, LLaVA, Vision-Flan or MiniGPT-4 samples, or a pool that was read before (with
        vectors of your own, say). The recipe's own sources by default.
    size
        Samples in the mix: a count, a share of the eligible samples (0..1], or tokens ("20M tokens").
    seed
        The one seed of every random choice.
    recipe
        A recipe, a mapping, a YAML file, or the name of a preset; the defaults by default.
    cache
        A folder (or URL for fsspec) where every stage leaves what it made, so that a run that was killed continues and
        a run with another size embeds nothing again. None, the default, keeps nothing.
    engine, workers
        Who does the work, see `recipe.engine.running`; the mix is the same.
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
    plan = complete(make_plan(recipe, sources, size=size, seed=seed, **knobs))
    with running(engine, workers):
        known = label_pool(opened(sources, plan, cache), plan)
        mix = fit_size(plan.size, known.pool, partial(pick, known, plan))
        with stage("explain"):
            return mix.explained()


def pick(known: Labelled, plan: Recipe, count: int) -> Mix:
    """Pick so many samples of a labelled pool, part by part if the recipe has parts."""
    if not plan.parts:
        return Mix(*_picked(known, plan, count), plan, known.fidelity)
    return Mix(*pick_parts(known.pool, plan, count, partial(_part, known)), plan, known.fidelity)


def _picked(known: Labelled, plan: Recipe, count: int) -> tuple[Pool, Picks, Quotas]:
    """Score every sample under the quotas of a mix of so many, and pick them."""
    scored, quotas = score(known, plan, count)
    with stage("select"):
        picks = call("select", plan.select, scored, quotas, seed=plan.seed)
        release(scored.vectors)
    return scored, picks, quotas


def _part(known: Labelled, turn: Turn) -> tuple[Pool, Picks, Quotas]:
    """Pick a part; what is kept of its scores hangs on the rows that it may pick."""
    rows = blake2b(np.packbits(turn.pool.eligible).data, digest_size=16).hexdigest()
    return _picked(known._replace(pool=turn.pool, trail=known.trail.to("part", rows=rows)), turn.plan, turn.size)


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
    plan = make_plan(recipe, sources, size=size, seed=seed, **knobs)
    with running(engine, workers):
        known = label_pool(opened(sources, plan, cache), plan)
        return score(known, plan, count_samples(plan.size, known.pool))[0]


def open_sources(plan: Recipe, cache: str | Path | None = None) -> Pool:
    """Read the sources of a recipe into one pool."""
    if cache is None and distributed() and nodes() > 1:
        raise ConfigError("engine=ray on several machines: expected cache=..., a place that all of them reach")
    sources = [source.model_dump(exclude_none=True) for source in plan.sources]
    with stage("read"):
        return read_pool(sources, **plan.read.model_dump(), store=None if cache is None else open_store(cache))


def opened(sources: Sources | None, plan: Recipe, cache: str | Path | None) -> Pool:
    """Read the sources, or take a pool without its files: they do not know what was attached or refused since."""
    return replace(sources, parts=None) if isinstance(sources, Pool) else open_sources(plan, cache)


def score(known: Labelled, plan: Recipe, count: int) -> tuple[Pool, Quotas]:
    """Draw up the quotas of a mix of so many samples, and score every sample."""
    pool, trail, _ = known
    with stage("quotas"):
        quotas = draw_quotas(pool, plan, count)
        pool = pool.with_labels(quotas.columns())
    with stage("score"):
        for step in plan.score:  # in order, so that a score may be made of those before it
            pool = pool.with_scores({step.label: _scores(pool, step, trail)})
        release(pool.vectors)
        return pool, quotas


def draw_quotas(pool: Pool, plan: Recipe, count: int) -> Quotas:
    """Draw up the quotas of a mix of so many samples from a labelled pool."""
    asked = plan.balance
    return make_quotas(
        pool,
        count,
        margins=asked.margins,
        yes_share=asked.yes_share,
        at_most=asked.at_most,
        per_image=asked.per_image,
    )


def _scores(pool: Pool, step: Step, trail: Trail) -> NDArray[np.float32]:
    """Score every sample; what costs much, and hangs on no quota, is kept."""
    if step.name not in KEPT:
        scores: NDArray[np.float32] = call("score", step, pool)
        return scores
    kept: NDArray[np.float32] = trail.to("score", step).whole("scores.npy", lambda: call("score", step, pool))
    return np.array(kept)


def make_plan(recipe: Recipe | Mapping[str, Any] | str | Path | None, sources: Sources | None, **knobs: Any) -> Recipe:
    """Make the recipe and check the knobs of every room it names before anything is read."""
    if sources is not None and not isinstance(sources, Pool):
        knobs["sources"] = tuple(sources) if isinstance(sources, list | tuple) else (sources,)
    plan = Recipe.of(recipe, **knobs)
    check_parts(plan)
    selectors = [plan.select, *(part.select for part in plan.parts.values() if part.select)]
    rooms = {"embed": [plan.embed], "cluster": [plan.cluster], "select": selectors, "score": plan.score}
    margins = [one.margins for one in (plan.balance, *(part.balance for part in plan.parts.values())) if one]
    labels = [step.label for step in plan.score]
    for label in labels:
        if labels.count(label) > 1 or label in SCHEMA or label in LABELS:
            raise ConfigError(f"score: expected a name of its own for each score, got {', '.join(labels)}; rename one")
    for room, steps in (rooms | {"balance": [rule for one in margins for rule in one.values()]}).items():
        for step in steps:
            check_knobs(room, step.name, step.knobs)
    return plan
