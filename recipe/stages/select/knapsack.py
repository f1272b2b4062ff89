"""Facility location under a cost, such as a token budget: the most coverage per cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.picks import Picks
from recipe.engine import single_threaded
from recipe.errors import ConfigError, nearest
from recipe.stages.select._facility.solve import checked, gains_of, lay_ground, solve
from recipe.stages.select._facility.terms import weigh_terms
from recipe.stages.select._image_limits import fill_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.ranges import From1, From2, Integer, Name, Ratio, Switch, Weight
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.stages.select._facility.ground import Ground
    from recipe.stages.select._facility.solve import Width


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    cost: Name = "n_tokens",
    exponent: Weight = 1.0,
    better: Switch = True,
    concepts: Weight = 0.02,
    quality: Mapping[str, Weight] | None = None,
    block: From2 = 2000,
    candidates: Ratio = 2.0,
    reach: From1 | None = None,
    keep: From1 = 16,
    seed: Integer = 0,
) -> Picks:
    """Pick samples greedily by gain divided by a power of their cost, under quotas; made for ``size: "2M tokens"``.

    The objective, blocks and rounds are those of `recipe.stages.select.facility`, but the next pick is the one with the
    largest gain / cost ** exponent. The quotas say how many samples are picked; under a token budget the number of
    samples is fitted to the budget, so that cheap samples leave room for more.

    Scaled greedy may prefer cheap samples with little gain, and plain greedy expensive ones. With `better` both are
    run, and the one with the higher objective at the same cost is used: scaled greedy is compared with plain greedy
    under quotas that are reduced in proportion until it costs no more. In a pool of one block this comparison is exact;
    in a larger one each objective counts only the candidates that a sample is compared with. When the number of samples
    is fitted to a budget, the two are compared again for every number that is tried.

    The order of a pool of one block nests under quotas of one cell, but the choice between the two may change with the
    size. O(n d (block + reach) + n log n) time, up to three times as much with `better`.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster`, `concepts` (if weighted), the cost, and the scores that `quality` names.
    quotas
        How many of each cell.
    cost
        A column of numbers from 0, such as `n_tokens`; a cost of 0 counts as the smallest cost above 0.
    exponent
        Power of the cost by which gains are divided, from 0. 1 is gain per token; 0 is plain greedy, and picks as
        `facility` does.
    better
        Whether to run plain greedy too, and use the better one.
    concepts, quality, block, candidates, reach, keep, seed
        As for `recipe.stages.select.facility`.

    Returns
    -------
    Picks
        As many rows as the quotas ask for, and gains by the terms `coverage`, `concepts` and `quality`, not divided by
        the cost, so they need not decrease in pick order.

    Raises
    ------
    ConfigError
        If a knob is out of its range, the cost is not a column of numbers from 0, or the pool has no vectors.

    References
    ----------
    Lin and Bilmes 2010, Multi-document Summarization via Budgeted Maximization of Submodular Functions, algorithm 1 and
    its scaling exponent r; Leskovec et al. 2007, Cost-effective Outbreak Detection in Networks (CELF), section 3: the
    better of the two reaches (1 - 1/e) / 2 of the optimum. That holds for a budget alone, not under quotas, and there
    plain greedy goes on to the whole budget. From memory.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=20), size="500 tokens", select="knapsack")
    >>> int(mix.pool.rows["n_tokens"].gather(mix.picks.rows).sum()) <= 500
    True
    """
    weights, wanted = {"concepts": concepts, **(quality or {})}, (candidates, reach, keep)
    vectors = checked("knapsack", pool, weights=weights, width=wanted, block=block)
    if not exponent >= 0:
        raise ConfigError(f"select.knapsack: expected exponent from 0, got exponent={exponent}")
    rows = np.flatnonzero(quotas.cell >= 0)
    costs = _costs(pool, rows, cost)
    terms = weigh_terms(pool, rows, quotas, concepts=concepts, quality=quality or {})
    plain, width = lay_ground(pool, vectors, quotas=quotas, terms=terms, width=wanted, block=block, seed=seed)
    scaled = replace(plain, terms=replace(terms, price=costs**exponent))
    picks = _run(scaled, width)
    if better and exponent:
        other, cost_of = _run(plain, width), np.zeros(len(pool))
        cost_of[rows] = costs
        scaled_cost, plain_cost = (float(cost_of[found.rows].sum()) for found in (picks, other))
        if scaled_cost >= plain_cost:
            picks = max(picks, other, key=_objective)
        elif _objective(other) > _objective(picks):
            fewer = _run(replace(plain, quota=_reduced(quotas.quota, scaled_cost / plain_cost)), width)
            within = int(np.searchsorted(np.cumsum(cost_of[fewer.rows]), scaled_cost, side="right"))
            picks = other if _objective(fewer.head(within)) > _objective(picks) else picks
    return fill_up(picks, quotas)


def _costs(pool: Pool, rows: NDArray[np.int64], cost: str) -> NDArray[np.float64]:
    """Return the cost of each selectable row, above 0."""
    if cost not in pool.rows.columns or not pool.rows[cost].dtype.is_numeric():
        numbers = [name for name, dtype in pool.rows.schema.items() if dtype.is_numeric()]
        raise ConfigError(f"select.knapsack: cost='{cost}' is not a column of numbers, {nearest(cost, numbers)}")
    costs = pool.rows[cost][rows].cast(float).to_numpy()
    bad = ~(np.isfinite(costs) & (costs >= 0))
    if bad.any():
        key = pool.rows["key"][int(rows[bad][0])]
        raise ConfigError(
            f"select.knapsack: expected costs from 0, got {cost}={costs[bad][0]} for key={key}; correct the column"
        )
    return np.maximum(costs, costs[costs > 0].min(initial=np.inf)) if (costs > 0).any() else np.ones(len(costs))


def _run(ground: Ground, width: Width) -> Picks:
    """Run greedy once."""
    chosen, found = solve(ground, width)
    return Picks(ground.rows[chosen[found.picks]], gains_of(ground, found))


def _reduced(quota: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Return a share of each quota, rounded by largest remainders; ties go to the smaller cell."""
    whole: NDArray[np.int64] = np.floor(quota * share).astype(np.int64)
    missing = round(float(quota.sum()) * share) - int(whole.sum())
    whole[np.argsort(whole - quota * share, kind="stable")[:missing]] += 1
    return whole


def _objective(picks: Picks) -> float:
    """Return the objective that picks reach."""
    return float(sum(gain.sum() for gain in picks.gains.values()))
