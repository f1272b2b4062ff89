"""What judges the mixes of a comparison, and that it is the same for all."""

import numpy as np
import pytest

from recipe import Recipe, demo_pool, score_pool
from recipe.compare.judge import Judge
from recipe.report.stats.measure import variety


@pytest.fixture(scope="module")
def pool():
    return score_pool(demo_pool(images=8))


def test_the_shortest_mix_is_judged_whole(pool):
    """Variety falls with length, so longer mixes are cut to the tokens of the shortest, and the shortest not at all."""
    eligible = np.flatnonzero(pool.eligible)
    out = np.isin(np.arange(len(pool)), eligible[::5])
    short, long = eligible[1::5][:30], eligible[2::5][:40]
    judged = Judge.of(pool, Recipe()).on(out, 0)
    found = {(name, metric): value for name, metric, value in judged.values({"short": short, "long": long})}
    tokens = [int(pool.rows["n_tokens"].gather(rows).sum()) for rows in (short, long)]
    assert tokens[0] < tokens[1]
    assert found["short", "distinct_2"] == variety(pool, short)["distinct_2"]
    assert found["long", "distinct_2"] != variety(pool, long)["distinct_2"]
