"""Laws of every selector."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest

from recipe.config.registry import find, home
from recipe.engine import running
from recipe.errors import ConfigError
from recipe.stages.balance import make_quotas

MARGINS = {"task": ("temperature", {"t": 1.5}), "cluster": ("proportional", {})}


@pytest.fixture(scope="session", params=[None, 2], ids=["any", "two an image"])
def quotas(request, labelled):
    """Quotas of a mix, without and with a limit of samples of one image."""
    size = 25 if request.param else 120
    return make_quotas(labelled, size, margins=MARGINS, yes_share=0.5, per_image=request.param)


def _selector(name):
    """The selector, with the knobs that its file says it can be called with."""
    return partial(find("select", name), **getattr(home("select", name), "EXAMPLE", {}))


def test_quotas_are_kept(select_name, labelled, quotas, unchanged):
    """Picks are unique, may be selected, fill each quota or, under a limit of images, the size, and pass no limit."""
    picks = _selector(select_name)(unchanged(labelled), quotas)
    rows = picks.rows
    assert rows.dtype == np.int64
    assert len(np.unique(rows)) == len(rows) == quotas.size
    assert labelled.eligible[rows].all()
    cells = np.bincount(quotas.cell[rows], minlength=len(quotas.quota))
    if quotas.per_image is None:
        assert np.array_equal(cells, quotas.quota)
    else:
        assert max(Counter(quotas.image[rows].tolist()).values()) <= quotas.per_image
    assert all(gain.shape == rows.shape and np.isfinite(gain).all() for gain in picks.gains.values())
    assert picks.certificate is None or 0 <= picks.certificate <= 1


def test_neither_threads_nor_order_matter(select_name, labelled, same_labelled, quotas):
    """Another call, one thread or three, and another order of reading give the same picks and gains."""
    select = _selector(select_name)
    with running("serial"):
        first = select(labelled, quotas)
    ordered = getattr(home("select", select_name), "ORDERED", False)  # the order of the files is what it picks by
    with running("auto", workers=3):
        for pool in (labelled, labelled if ordered else same_labelled):
            again = select(pool, quotas)
            assert np.array_equal(again.rows, first.rows)
            assert all(np.array_equal(gain, first.gains[term]) for term, gain in again.gains.items())


def test_an_unknown_knob_is_refused(select_name):
    """A knob that a selector does not have is refused before anything is read."""
    from recipe import select_mix

    with pytest.raises(ConfigError, match="unknown knob 'no_such_knob'"):
        select_mix("nowhere.json", select={select_name: {"no_such_knob": 1}})
