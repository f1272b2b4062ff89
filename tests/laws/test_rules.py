"""Laws of every rule of balance."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import unit_rows

from recipe.config.registry import find, home, needed_knobs
from recipe.stages.balance import Groups

COUNTS = st.lists(st.integers(1, 2000), min_size=1, max_size=12)
KNOBS = {"shares": lambda counts: {"weights": [1.0 + place % 3 for place in range(len(counts))]}}


def _somewhere(counts):
    """Place the samples of each value, three at most, anywhere."""
    few = np.minimum(counts, 3)
    vectors, _ = unit_rows(int(counts.sum()), int(few.sum()), 4)
    return Groups(vectors, np.split(np.arange(few.sum()), np.cumsum(few)[:-1]))


@settings(max_examples=30)
@given(counts=COUNTS, data=st.data())
def test_the_size_is_shared_out(balance_name, counts, data):
    """Quotas are integers from 0 to their count that sum to the size, the same again, and no count is changed."""
    counts = np.array(counts)
    size = data.draw(st.integers(0, int(counts.sum())))
    rule, knobs = find("balance", balance_name), KNOBS.get(balance_name, lambda _: {})(counts)
    knobs = knobs or getattr(home("balance", balance_name), "EXAMPLE", {})
    assert set(needed_knobs("balance", balance_name)) <= set(knobs), "say in EXAMPLE with which knobs it can be called"
    if "groups" in inspect.signature(rule).parameters:
        knobs = knobs | {"groups": _somewhere(counts)}
    before = counts.copy()
    quota = np.asarray(rule(counts, size, **knobs))
    assert np.issubdtype(quota.dtype, np.integer)
    assert quota.shape == counts.shape
    assert quota.sum() == size
    assert ((quota >= 0) & (quota <= counts)).all()
    assert np.array_equal(quota, rule(counts, size, **knobs))
    assert np.array_equal(counts, before)


def test_what_breaks_the_promise_is_refused():
    """A rule of your own that shares out another size is refused by the numbers that disagree."""
    from recipe import demo_pool, select_mix
    from recipe.errors import AlignmentError

    def greedy(counts, size):
        """Give one too many where there is one."""
        return np.minimum(counts, size + 1)

    with pytest.raises(AlignmentError, match=r"balance.greedy: expected .* whose sum is 20, got .*sum="):
        select_mix(demo_pool(images=4), size=20, balance={"margins": {"task": greedy}})
