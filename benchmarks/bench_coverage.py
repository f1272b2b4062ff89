"""Time every stage of the main job, and hold the mix against chance by the exact coverage of the pool."""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import recipe.mix.flow as conductor
from recipe.config.recipe import Recipe
from recipe.engine.seed import draws
from recipe.report.stats import coverage

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Adds up the seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, name: Callable[..., str], function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its seconds added to a stage."""

        def run(*data: Any, **knobs: Any) -> Any:
            begin = time.perf_counter()
            result = function(*data, **knobs)
            stage = name(*data)
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - begin
            return result

        return run


def main() -> None:
    """Run the job once and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()

    clock = Clock()
    conductor.call = clock.timed(lambda room, step, *_: f"{room}.{step.label}", conductor.call)
    conductor.read_pool = clock.timed(lambda *_: "read", conductor.read_pool)
    conductor.make_quotas = clock.timed(lambda *_: "balance", conductor.make_quotas)
    begin = time.perf_counter()
    mix = conductor.select_mix(recipe=Recipe.of(sources=tuple(asked.sources), size=asked.size, seed=asked.seed))
    total = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    rows = np.flatnonzero(mix.pool.eligible)
    lots = draws(mix.pool.rows["key"].gather(rows), seed=asked.seed, label="bench.random")
    chance = rows[np.argsort(lots, kind="stable")[: len(mix)]]
    vectors = mix.pool.vectors
    figures = {
        "samples": len(mix.pool),
        "picked": len(mix),
        "stages": [{"name": name, "seconds": round(seconds, 2)} for name, seconds in clock.seconds.items()],
        "total_seconds": round(total, 2),
        "peak_gb": round(peak, 2),
        "coverage_mix": round(coverage(vectors, rows, mix.picks.rows), 5),
        "coverage_random": round(coverage(vectors, rows, chance), 5),
        "certificate": mix.certificate,
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
