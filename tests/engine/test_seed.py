"""Draws: one number for each key, independent of other keys, uniform, and independent across seeds and labels."""

from __future__ import annotations

import struct
from hashlib import blake2b

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recipe.engine import seed as module
from recipe.engine.seed import draw, draws, shuffled

CHARACTERS = st.characters(codec="utf-8", min_codepoint=32)  # keys are hexadecimal; none has a control character
KEYS = st.lists(st.text(CHARACTERS, max_size=40), max_size=12)


@given(KEYS, st.integers(0, 3))
def test_the_number_of_a_key_does_not_depend_on_other_keys(keys, seed):
    """Drawn alone, in a list, in reverse, and as a column in several slices, a key has one number."""
    alone = [int(draws([key], seed=seed, label="order")[0]) for key in keys]
    assert draws(keys, seed=seed, label="order").tolist() == alone
    assert draws(keys[::-1], seed=seed, label="order").tolist() == alone[::-1]
    assert draws(pl.Series(keys, dtype=pl.String), seed=seed, label="order").dtype == np.uint64


def test_slices_make_no_difference(monkeypatch):
    """Keys that are hashed a few at a time have the same numbers as keys that are hashed together."""
    keys = [f"{i:032x}" for i in range(50)]
    whole = draws(keys, seed=1, label="order")
    monkeypatch.setattr(module, "_SLICE", 7)
    assert (draws(keys, seed=1, label="order") == whole).all()


@given(KEYS)
def test_other_keys_have_other_numbers(keys):
    """Different keys have different numbers, also those that only differ in zeros at their end."""
    for different in ({*keys, "", "a", "aa"}, {"", "\0", "\0\0", "a", "a\0"}):
        assert len(set(draws(sorted(different), seed=0, label="order").tolist())) == len(different)


def test_every_bit_is_a_fair_coin():
    """Of 40,000 consecutive keys, each of the 64 bits is set for half, also in the xor with another seed or label."""
    keys = pl.Series([f"{i:032x}" for i in range(40_000)])
    series = [draws(keys, seed=seed, label=label) for seed, label in ((0, "a"), (1, "a"), (0, "b"))]
    for numbers in (series[0], series[0] ^ series[1], series[0] ^ series[2], series[0][1:] ^ series[0][:-1]):
        share = np.unpackbits(np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
        assert np.abs(share - 0.5).max() < 5 * 0.5 / 40_000**0.5


@given(st.text(), st.integers(), st.sampled_from(["suffix", "draws"]))
def test_a_single_draw_is_blake2b(key, seed, label):
    """A single draw is that of BLAKE2b with label and seed as its key, so choices made when samples are read stay."""
    digest = blake2b(key.encode(), key=f"{label}:{seed}".encode()[:64], digest_size=8).digest()
    assert draw(key, seed=seed, label=label) == struct.unpack("<Q", digest)[0]


@given(st.lists(st.text("abc", max_size=3), max_size=20), st.data())
def test_shuffled_rows_are_sorted_by_their_draws(keys, data):
    """Any rows come in the order of their keys' draws, rows of one key in the order in which they were given."""
    rows = data.draw(st.permutations(range(len(keys))))[: data.draw(st.integers(0, len(keys)))]
    number = draws(keys, seed=3, label="x").tolist()
    expected = sorted(rows, key=lambda row: number[row])
    found = shuffled(np.array(rows, np.int64), pl.Series(keys, dtype=pl.String), seed=3, label="x")
    assert found.tolist() == expected
