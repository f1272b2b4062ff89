"""Lots: one for each key, whatever stands beside it, uniform and without memory of seed and label."""

from __future__ import annotations

import struct
from hashlib import blake2b

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recipe.engine import seed as module
from recipe.engine.seed import draw, draws, shuffled

KEYS = st.lists(st.text(max_size=40), max_size=12)


@given(KEYS, st.integers(0, 3))
def test_a_key_keeps_its_lot_in_any_company(keys, seed):
    """Drawn alone, in a list, in reverse, and as a column in several slices, a key has one number."""
    alone = [int(draws([key], seed=seed, label="lot")[0]) for key in keys]
    assert draws(keys, seed=seed, label="lot").tolist() == alone
    assert draws(keys[::-1], seed=seed, label="lot").tolist() == alone[::-1]
    assert draws(pl.Series(keys, dtype=pl.String), seed=seed, label="lot").dtype == np.uint64


def test_slices_make_no_difference(monkeypatch):
    """Keys that are hashed a few at a time have the lots of keys that are hashed together."""
    keys = [f"{i:032x}" for i in range(50)]
    whole = draws(keys, seed=1, label="lot")
    monkeypatch.setattr(module, "_SLICE", 7)
    assert (draws(keys, seed=1, label="lot") == whole).all()


@given(KEYS)
def test_other_keys_have_other_lots(keys):
    """Different keys, also of zeros and of different length, have different numbers."""
    keys = {*keys, "", "\0", "\0\0", "a", "a\0"}
    assert len(set(draws(sorted(keys), seed=0, label="lot").tolist())) == len(keys)


def test_every_bit_is_a_fair_coin():
    """Of 40,000 keys that count up, each of the 64 bits is set for half, alone and beside another seed or label."""
    keys = pl.Series([f"{i:032x}" for i in range(40_000)])
    lots = [draws(keys, seed=seed, label=label) for seed, label in ((0, "a"), (1, "a"), (0, "b"))]
    for numbers in (lots[0], lots[0] ^ lots[1], lots[0] ^ lots[2], lots[0][1:] ^ lots[0][:-1]):
        share = np.unpackbits(np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
        assert np.abs(share - 0.5).max() < 5 * 0.5 / 40_000**0.5


@given(st.text(), st.integers(), st.sampled_from(["suffix", "draws"]))
def test_a_single_draw_is_blake2b(key, seed, label):
    """One key at a time is drawn by BLAKE2b with label and seed as its key, so a sample keeps what was chosen for it."""
    digest = blake2b(key.encode(), key=f"{label}:{seed}".encode()[:64], digest_size=8).digest()
    assert draw(key, seed=seed, label=label) == struct.unpack("<Q", digest)[0]


@given(st.lists(st.text("abc", max_size=3), max_size=20), st.data())
def test_shuffled_rows_are_sorted_by_their_draws(keys, data):
    """Any rows come in the order of their keys' draws, rows of one key in the order in which they were given."""
    rows = data.draw(st.permutations(range(len(keys))))[: data.draw(st.integers(0, len(keys)))]
    lot = draws(keys, seed=3, label="x").tolist()
    expected = sorted(rows, key=lambda row: lot[row])
    found = shuffled(np.array(rows, np.int64), pl.Series(keys, dtype=pl.String), seed=3, label="x")
    assert found.tolist() == expected
