"""The numbers by which a mix is judged beside others: what it holds, and what can be learned from it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from recipe.engine.seed import shuffled
from recipe.report.stats.counting import entropy
from recipe.report.stats.coverage import best_cosines, coverage
from recipe.report.stats.measure import measure_rows, variety

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from recipe.compare.proxy import Prepared
    from recipe.config.recipe import Recipe
    from recipe.data.pool import Pool

    Rows = NDArray[np.int64]

POINTS = 5000  # samples by which coverage is estimated, the same for all mixes of a seed


@dataclass(frozen=True)
class Judge:
    """What judges the mixes of a pool.

    Parameters
    ----------
    pool
        n samples with labels, vectors and clusters that are the same for every mix.
    keywords
        The recipe's list of concepts.
    ready
        What learners need of the pool's texts, made once.
    """

    pool: Pool
    keywords: str | None
    ready: Prepared

    @classmethod
    def of(cls, pool: Pool, plan: Recipe) -> Judge:
        """Prepare what is the same for every mix."""
        from recipe.compare.proxy import Prepared  # noqa: PLC0415  compiled kernels

        return cls(pool, plan.tag.concepts, Prepared.of(pool))

    def on(self, out: NDArray[np.bool_], seed: int) -> Judged:
        """Return the judge of mixes that leave out some rows, (n,) bool."""
        from recipe.compare.proxy import draw_held  # noqa: PLC0415  the same

        open_rows, eligible = self.pool.eligible & ~out, np.flatnonzero(self.pool.eligible & out)

        def drawn(rows: Rows) -> Rows:
            return np.sort(shuffled(rows, self.pool.rows["key"], seed=seed, label="judge.points")[:POINTS])

        held = draw_held(self.pool, eligible, seed=seed)
        return Judged(self, drawn(np.flatnonzero(open_rows)), drawn(eligible), held, seed)


@dataclass(frozen=True)
class Judged:
    """One held-out part, and what is judged on it.

    Parameters
    ----------
    judge
        Of the whole pool.
    points, strangers
        Rows that may be picked, and held-out rows, by which coverage is estimated.
    held
        Held-out rows on which learners are judged, tasks evened out.
    seed
        Of the learners.
    """

    judge: Judge
    points: Rows
    strangers: Rows
    held: Rows
    seed: int

    def values(self, mixes: Mapping[str, Rows]) -> Iterator[tuple[str, str, float]]:
        """Judge several mixes of one size: name, metric, value.

        The model of language learns from as many tokens of each as the mix with the fewest has.
        """
        tokens = self.judge.pool.rows["n_tokens"].to_numpy()
        least = min((int(tokens[rows].sum(dtype=np.int64)) for rows in mixes.values()), default=0)
        for name, rows in mixes.items():
            for metric, value in (self._held_by(rows, least) | self._learned(rows, least)).items():
                yield name, metric, value

    def _held_by(self, rows: Rows, tokens: int) -> dict[str, float]:
        """Measure what a mix holds; different words, which fall with their number, on equal numbers of tokens."""
        pool = self.judge.pool
        side, known = measure_rows(pool, rows, keywords=self.judge.keywords, seed=self.seed)
        found = {
            "clusters/entropy": side.clusters.get("entropy"),
            "tasks/entropy": entropy(list(side.tasks.values())),
            "answers/entropy": entropy(list(side.answers.values())),
            "concepts/entropy": side.concept_entropy,
            "keywords/reached": side.keywords / max(1, known),
            "yes/gap": abs(side.yes / (side.yes + side.no) - 0.5) if side.yes + side.no else None,
            "distinct_2": variety(pool, self._cut(rows, tokens))["distinct_2"],
            "question_starts": side.question_starts,
            "near_duplicates": side.near_duplicates,
            "vendi": side.vendi,
        }
        if pool.vectors is not None:
            near = best_cosines(pool.vectors, self.points, rows)
            found |= {
                "coverage/mean": float(near.mean(dtype=np.float64)),
                "coverage/p5": float(np.quantile(near, 0.05)),
            }
            found["coverage/held"] = coverage(pool.vectors, self.strangers, rows)
        return {metric: value for metric, value in found.items() if value is not None}

    def _learned(self, rows: Rows, tokens: int) -> dict[str, float]:
        """Let each learner learn from a mix, and judge it on the held-out samples."""
        given = (self.judge.ready, rows, self.held)
        found: dict[str, float] = {}
        if self.judge.pool.vectors is not None:
            told = learner("classifier")(*given, seed=self.seed)
            found |= {"proxy/kind": told["kind"], "proxy/task": told["task"]}
        found["proxy/retrieval"] = learner("retrieval")(*given, seed=self.seed)["f1"]
        language = learner("language")(*given, tokens=max(1, tokens), seed=self.seed)
        return found | {"proxy/language": language["bits"]}

    def _cut(self, rows: Rows, tokens: int) -> Rows:
        """Draw some of a mix by lot, until they have so many tokens; one at least."""
        pool = self.judge.pool
        drawn = shuffled(rows, pool.rows["key"], seed=self.seed, label="judge.cut")
        spent = np.cumsum(pool.rows["n_tokens"].gather(drawn).to_numpy(), dtype=np.int64)
        return drawn[: max(1, int(np.searchsorted(spent, tokens, side="right")))]


def learner(name: str) -> Callable[..., dict[str, float]]:
    """Return the learner of a file of the folder `proxy`: what is compiled is imported where it is asked for."""
    proxy: Callable[..., dict[str, float]] = import_module(f"recipe.compare.proxy.{name}").proxy
    return proxy
