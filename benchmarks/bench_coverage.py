"""Time every stage of the main job, and compare the mix with a random one by the exact coverage of the pool."""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np

from recipe import select_mix
from recipe.engine.seed import draws
from recipe.engine.timing import timed
from recipe.report.stats import coverage


def main() -> None:
    """Run the job once and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()

    begin = time.perf_counter()
    with timed() as stages:
        mix = select_mix(asked.sources, size=asked.size, seed=asked.seed)
    total = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    rows = np.flatnonzero(mix.pool.eligible)
    numbers = draws(mix.pool.rows["key"].gather(rows), seed=asked.seed, label="bench.random")
    baseline = rows[np.argsort(numbers, kind="stable")[: len(mix)]]
    vectors = mix.pool.vectors
    figures = {
        "samples": len(mix.pool),
        "picked": len(mix),
        "stages": [{"name": stage.name, "seconds": round(stage.seconds, 2)} for stage in stages],
        "total_seconds": round(total, 2),
        "peak_gb": round(peak, 2),
        "coverage_mix": round(coverage(vectors, rows, mix.picks.rows), 5),
        "coverage_random": round(coverage(vectors, rows, baseline), 5),
        "certificate": mix.certificate,
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
