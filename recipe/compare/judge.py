"""The metrics of a comparison: what a mix contains, and what can be learned from it."""

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

POINTS = 5000  # samples on which coverage is estimated, the same for all mixes of a seed


@dataclass(frozen=True)
class Judge:
    """Evaluates mixes of a pool.

    Parameters
    ----------
    pool
        n samples with labels, vectors and clusters, the same for every mix.
    keywords
        File of concepts, as `tag: {concepts: ...}`; None for the shipped list.
    ready
        The pool's texts prepared for the learners, once.
    """

    pool: Pool
    keywords: str | None
    ready: Prepared

    @classmethod
    def of(cls, pool: Pool, plan: Recipe) -> Judge:
        """Prepare the evaluation of any mix of a pool."""
        from recipe.compare.proxy import Prepared  # noqa: PLC0415  compiled kernels

        return cls(pool, plan.tag.concepts, Prepared.of(pool))

    def on(self, out: NDArray[np.bool_], seed: int) -> Judged:
        """Return the evaluation of mixes that were picked without some rows, (n,) bool."""
        from recipe.compare.proxy import draw_held_out  # noqa: PLC0415  the same

        open_rows, eligible = self.pool.eligible & ~out, np.flatnonzero(self.pool.eligible & out)

        def drawn(rows: Rows) -> Rows:
            return np.sort(shuffled(rows, self.pool.rows["key"], seed=seed, label="judge.points")[:POINTS])

        held_out = draw_held_out(self.pool, eligible, seed=seed)
        return Judged(self, drawn(np.flatnonzero(open_rows)), drawn(eligible), held_out, seed)


@dataclass(frozen=True)
class Judged:
    """One set of held-out samples, and the evaluation on it.

    Parameters
    ----------
    judge
        What is prepared for the whole pool.
    points, held_out_points
        Rows that may be picked, and held-out rows, on which coverage is estimated.
    held_out
        Held-out rows on which learners are evaluated, about as many of each task.
    seed
        Seed of the learners.
    """

    judge: Judge
    points: Rows
    held_out_points: Rows
    held_out: Rows
    seed: int

    def values(self, mixes: Mapping[str, Rows]) -> Iterator[tuple[str, str, float]]:
        """Evaluate several mixes of one size: name, metric, value.

        The language model learns from as many tokens of each mix as the one with the fewest has.
        """
        tokens = self.judge.pool.rows["n_tokens"].to_numpy()
        least = min((int(tokens[rows].sum(dtype=np.int64)) for rows in mixes.values()), default=0)
        for name, rows in mixes.items():
            for metric, value in (self._contents(rows, least) | self._learned(rows, least)).items():
                yield name, metric, value

    def _contents(self, rows: Rows, tokens: int) -> dict[str, float]:
        """Measure what a mix contains; the share of distinct words, which falls with length, on equally many tokens."""
        pool = self.judge.pool
        counts, known = measure_rows(pool, rows, keywords=self.judge.keywords, seed=self.seed)
        found = {
            "clusters/entropy": counts.clusters.get("entropy"),
            "tasks/entropy": entropy(list(counts.tasks.values())),
            "answers/entropy": entropy(list(counts.answers.values())),
            "concepts/entropy": counts.concept_entropy,
            "keywords/reached": counts.keywords / max(1, known),
            "yes/gap": abs(counts.yes / (counts.yes + counts.no) - 0.5) if counts.yes + counts.no else None,
            "distinct_2": variety(pool, self._cut(rows, tokens))["distinct_2"],
            "question_starts": counts.question_starts,
            "near_duplicates": counts.near_duplicates,
            "vendi": counts.vendi,
        }
        if pool.vectors is not None:
            near = best_cosines(pool.vectors, self.points, rows)
            found |= {
                "coverage/mean": float(near.mean(dtype=np.float64)),
                "coverage/p5": float(np.quantile(near, 0.05)),
            }
            found["coverage/held"] = coverage(pool.vectors, self.held_out_points, rows)
        return {metric: value for metric, value in found.items() if value is not None}

    def _learned(self, rows: Rows, tokens: int) -> dict[str, float]:
        """Train each learner on a mix, and evaluate it on the held-out samples."""
        given = (self.judge.ready, rows, self.held_out)
        found: dict[str, float] = {}
        if self.judge.pool.vectors is not None:
            accuracy = learner("classifier")(*given, seed=self.seed)
            found |= {"proxy/kind": accuracy["kind"], "proxy/task": accuracy["task"]}
        found["proxy/retrieval"] = learner("retrieval")(*given, seed=self.seed)["f1"]
        language = learner("language")(*given, tokens=max(1, tokens), seed=self.seed)
        return found | {"proxy/language": language["bits"]}

    def _cut(self, rows: Rows, tokens: int) -> Rows:
        """Sample a mix at random, up to so many tokens; at least one sample."""
        pool = self.judge.pool
        drawn = shuffled(rows, pool.rows["key"], seed=self.seed, label="judge.cut")
        spent = np.cumsum(pool.rows["n_tokens"].gather(drawn).to_numpy(), dtype=np.int64)
        return drawn[: max(1, int(np.searchsorted(spent, tokens, side="right")))]


def learner(name: str) -> Callable[..., dict[str, float]]:
    """Import a file of the folder `proxy` and return its learner; its compiled kernels are loaded only then."""
    proxy: Callable[..., dict[str, float]] = import_module(f"recipe.compare.proxy.{name}").proxy
    return proxy
