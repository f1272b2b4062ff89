"""Laws of every embedder."""

from __future__ import annotations

import inspect

import numpy as np

from recipe.config.registry import home
from recipe.engine import running

NEAR = 1e-5  # what the other texts of a batch may change in a model's sums


def _knobs(embedder, embed):
    """The knobs of a call that one function of an embedder has."""
    known = inspect.signature(embedder).parameters
    return {knob: value for knob, value in embed.keywords.items() if knob in known or "knobs" in known}


def test_one_unit_row_a_sample(embed_name, called, few, unchanged):
    """An embedder makes one finite row of length one for each sample, and leaves the pool as it was."""
    embed, module = called("embed", embed_name), home("embed", embed_name)
    pool = unchanged(few)
    if hasattr(module, "encode"):
        learned = module.fit(pool, **_knobs(module.fit, embed)) if hasattr(module, "fit") else {}
        vectors = module.encode(pool, learned, **_knobs(module.encode, embed))
    else:
        vectors = embed(pool)
    assert vectors.shape[0] == len(pool)
    assert vectors.dtype in (np.float32, np.float16)
    assert np.allclose(np.linalg.norm(np.asarray(vectors, np.float32), axis=1), 1, atol=1e-3)


def test_shards_give_the_same(embed_name, called, few):
    """Embedding shard by shard, on one thread or three, gives the same as embedding at once."""
    embed, module = called("embed", embed_name), home("embed", embed_name)
    if not hasattr(module, "encode"):
        with running("serial"):
            first = np.array(embed(few))
        with running("auto", workers=3):
            assert np.array_equal(embed(few), first)
        return
    learned = module.fit(few, **_knobs(module.fit, embed)) if hasattr(module, "fit") else {}
    knobs = _knobs(module.encode, embed)
    whole = module.encode(few, learned, **knobs)
    with running("auto", workers=3):
        pieces = [module.encode(part, learned, **knobs) for part in _cut(few, 17)]
    assert np.allclose(np.concatenate(pieces), whole, atol=NEAR)


def _cut(pool, size):
    """Cut a pool into shards of some rows."""
    import polars as pl

    from recipe.data.pool import Pool

    for start in range(0, len(pool), size):
        rows = pool.rows.slice(start, size)
        yield Pool(rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")))
