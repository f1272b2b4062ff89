"""Several recipes against random mixes of the same size, evaluated on images that none of them may pick from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recipe.compare.hold_out import OpenPool, count_of, draw_hold_out
from recipe.compare.judge import Judge
from recipe.config.resolve import complete, without_unused
from recipe.config.size import read_size
from recipe.data.checkpoint import Checkpoint
from recipe.engine import running
from recipe.errors import ConfigError, SupplyError
from recipe.mix.from_file import read_labelled
from recipe.mix.plan import make_plan
from recipe.report.comparison import BASELINES, Comparison, values_of
from recipe.stages import flow
from recipe.stages.read import sort_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool
    from recipe.data.selection import Selection
    from recipe.engine import Name as Engine
    from recipe.stages.read._sources.given import Inputs, Sources

    Given = Recipe | Mapping[str, Any] | str | Path


def compare_mixes(
    sources: Sources | None = None,
    recipes: Mapping[str, Given] | Sequence[str | Path] = ("recipe-default",),
    *,
    mixes: Mapping[str, Selection | str | Path] | None = None,
    sizes: Sequence[float] = (0.05,),
    seeds: int = 5,
    hold_out: float = 0.2,
    base: Given | None = None,
    cache: str | Path | None = None,
    engine: Engine = "auto",
    workers: int | None = None,
    **knobs: Any,
) -> Comparison:
    """Compare recipes, or existing mixes, with random and with source-balanced mixes of the same size.

    Each seed holds out other images: no mix may pick a sample of them, and what is learned from a mix is evaluated on
    them. Images whose files have the same name, in any folder, count as the same image, so that one that two sources
    share is never on both sides. All recipes are given the same samples, labels and vectors, and have their own
    deduplication, clusters, scores, balance and selector.

    Parameters
    ----------
    sources
        As for `select_mix`; those of `base` by default.
    recipes
        Names of presets, recipe files, or your own names to recipes. `random` and `source-balanced` are always added.
    mixes
        Names to mixes, or to files of mixes, picked from the same pool. Then only images that none of them contains
        are held out, and every recipe is also run at the size of each of them.
    sizes
        Samples in each mix: counts from 1, or shares of the samples that may be picked (0..1].
    seeds
        Number of seeds, from 2: 0, 1, 2 ... Each holds out other images and is the seed of the recipes. With fewer than
        five only large differences show.
    hold_out
        Share of the images that are held out for evaluation, above 0 and below 1. Its former name `held` is accepted
        with a `DeprecationWarning`.
    base
        The recipe by which samples are read, labelled and embedded, and whose clusters are used to count the mixes.
    cache, engine, workers
        As for `select_mix`.
    **knobs
        Further fields of the base recipe, as ``embed``; `dedup` is each recipe's own.

    Returns
    -------
    Comparison
        Values by size, recipe and seed; `table` compares them pair by pair. `refused` lists the recipes that could not
        be run at a size, and why.

    Raises
    ------
    ConfigError
        If a recipe, size or share is out of its range, or a mix is of another pool.
    SupplyError
        If no mix could be picked at all; otherwise those that could not are listed in the result.

    References
    ----------
    Why random is always included: ICONS (its table at 20 % of LLaVA-665K) finds seven of eight other selections below
    random; XMAS finds none above it at every size.

    Examples
    --------
    >>> from recipe import compare_mixes, demo_pool
    >>> found = compare_mixes(demo_pool(images=30), ["svit-concepts"], sizes=[0.1], seeds=2)
    >>> found.recipes
    ['random', 'source-balanced', 'svit-concepts']
    """
    if "held" in knobs:
        warnings.warn("compare_mixes: held is called hold_out; use that name", DeprecationWarning, stacklevel=2)
        hold_out = knobs.pop("held")
    inputs = sort_out(sources)
    plan = _base(base, inputs, knobs)
    _check(sizes, seeds, hold_out)
    with running(engine, workers):
        pool = flow.label(flow.read(inputs, plan, cache), plan)
        pool = replace(pool, checkpoint=Checkpoint())
        fixed = {name: _rows_of(pool, name, mix) for name, mix in (mixes or {}).items()}
        plans = _plans(recipes, plan, mixes or ())
        counts = sorted({count_of(size, pool, hold_out) for size in sizes} | {len(rows) for rows in fixed.values()})
        judge = Judge.of(pool, plan)
        lines: list[tuple[int, str, int, str, float]] = []
        refused: dict[str, str] = {}
        for seed in range(seeds):
            held_out = draw_hold_out(pool, hold_out, seed=seed, taken=fixed.values())
            rest, judged = OpenPool.without(pool, held_out), judge.on(held_out, seed)
            for count in counts:
                picked = _picked(rest, plans, count, seed, refused=refused)
                picked |= {name: rows for name, rows in fixed.items() if len(rows) == count}
                lines += [(count, name, seed, metric, value) for name, metric, value in judged.values(picked)]
    if not lines:
        why = "; ".join(f"{what}: {reason}" for what, reason in refused.items())
        raise SupplyError(f"compare: no mix could be picked; {why:.400}")
    about = {
        "samples": len(pool),
        "eligible": int(pool.eligible.sum()),
        "held out": hold_out,
        "seeds": seeds,
        "embed": plan.embed.label,
        "recipes": {name: one.model_dump(mode="json", exclude={"sources", "write"}) for name, one in plans.items()},
    }
    return Comparison(values_of(lines), refused, about)


def _picked(
    rest: OpenPool, plans: Mapping[str, Recipe], count: int, seed: int, *, refused: dict[str, str]
) -> dict[str, NDArray[np.int64]]:
    """Pick one mix by each recipe, and note in `refused` why one could not be picked."""
    picked = {}
    for name, plan in plans.items():
        seeded = plan.model_copy(update={"size": count, "seed": seed})
        try:
            _, picks, _ = flow.pick(rest.seen_by(seeded), seeded, count)
        except (SupplyError, ConfigError) as error:
            refused.setdefault(f"{name} at {count:,}", str(error))
            continue
        picked[name] = picks.rows
    return picked


def _check(sizes: Sequence[float], seeds: int, hold_out: float) -> None:
    """Check the arguments before anything is read."""
    if seeds < 2 or not 0 < hold_out < 1 or not sizes:  # noqa: PLR2004  one seed has no spread
        got = f"sizes={list(sizes)}, seeds={seeds}, hold_out={hold_out}"
        raise ConfigError(f"compare: expected one size or more, seeds from 2, hold_out above 0 and below 1, got {got}")
    for size in sizes:
        if read_size(size)[1] == "tokens":
            raise ConfigError(f"compare: expected sizes as counts or shares, got size={size!r}")


def _plans(
    recipes: Mapping[str, Given] | Sequence[str | Path], base: Recipe, taken: Iterable[str] = ()
) -> dict[str, Recipe]:
    """Return the recipes, the baselines first; all of them read, label and embed as the base does."""
    given = list(recipes.items()) if isinstance(recipes, Mapping) else [(Path(one).stem, one) for one in recipes]
    given = [(name, one) for name, one in given if not (name in BASELINES and one == name)]  # they are included anyway
    check_names([*BASELINES, *(name for name, _ in given), *taken])
    shared = {name: getattr(base, name) for name in ("sources", "read", "tag", "exclude", "embed")}
    everything = [*((name, name) for name in BASELINES), *given]
    return {
        name: without_unused(complete(make_plan(one, sort_out(None)).model_copy(update=shared)))
        for name, one in everything
    }


def check_names(names: Sequence[str]) -> None:
    """Raise if two recipes or mixes have the same name."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"compare: expected distinct names, got {', '.join(twice)} twice; rename one")


def _rows_of(pool: Pool, name: str, mix: Selection | str | Path) -> NDArray[np.int64]:
    """Return the rows of a mix's samples in the pool, found by their keys."""
    keys = read_labelled(mix).rows["key"] if isinstance(mix, str | Path) else pl.Series(mix.keys)
    first = pool.rows.select("key", "row").unique("key", keep="first", maintain_order=True)
    picked = pl.DataFrame({"key": keys}, {"key": pl.String})
    found = picked.join(first, on="key", how="left", maintain_order="left")["row"]
    if found.null_count():
        missing = keys.filter(found.is_null())[0]
        raise ConfigError(
            f"compare: {found.null_count():,} samples of the mix '{name}' are not in the pool, as {missing}; "
            "name the sources it was picked from"
        )
    return found.cast(pl.Int64).unique(maintain_order=True).to_numpy()


def _base(base: Given | None, inputs: Inputs, knobs: dict[str, Any]) -> Recipe:
    """Return the recipe by which samples are read and labelled; each recipe finds duplicates by itself."""
    return make_plan(base, inputs, **{**knobs, "dedup": {"exact": False, "near": None}})
