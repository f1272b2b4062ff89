"""A budget of tokens is never passed, and used as far as the next pick allows."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import pool_of

from recipe.data.picks import Picks
from recipe.errors import SupplyError
from recipe.mix.size import fit_size


@dataclass(frozen=True)
class Some:
    """What a mix is to its size."""

    picks: Picks

    def __len__(self):
        return len(self.picks)


def fitted(tokens, budget):
    """Return how many of the samples, picked in their order, a budget of tokens holds."""
    return len(fit_size(f"{budget} tokens", pool_of(len(tokens), n_tokens=tokens), lambda n: Some(Picks(np.arange(n)))))


@given(st.integers(1, 50), st.integers(1, 30), st.data())
def test_a_budget_is_used_to_its_last_token(each, many, data):
    """Of samples of one length as many are picked as fit, and one that just fits is among them."""
    wanted = data.draw(st.integers(1, many))
    for spare in {0, each - 1}:
        if wanted * each + spare <= many * each:
            assert fitted([each] * many, wanted * each + spare) == wanted
        else:
            with pytest.raises(SupplyError, match=f"can give {many * each:,} tokens in {many:,} samples"):
                fitted([each] * many, wanted * each + spare)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=30), st.data())
def test_a_budget_is_never_passed(tokens, data):
    """Samples of any length are picked within the budget; one below the first sample is an error."""
    budget = data.draw(st.integers(1, sum(tokens)))
    if budget < tokens[0]:
        with pytest.raises(SupplyError, match=f"size='{budget} tokens'"):
            fitted(tokens, budget)
    else:
        assert sum(tokens[: fitted(tokens, budget)]) <= budget
