"""Small pools for tests: made of a few turns, in the order in which they are given."""

from __future__ import annotations

from strategies import pool_of


def make_pool(samples, **columns):
    """Build a pool of samples, each a list of (speaker, value) turns or one text; its keys rise with its rows."""
    turns = [[("human", said)] if isinstance(said, str) else said for said in samples]
    words = [sum(len(value.split()) for _, value in talk) for talk in turns]
    said = [[{"from": speaker, "value": value} for speaker, value in talk] for talk in turns]
    return pool_of(len(turns), **{"turns": said, "n_words": words, "n_tokens": words, **columns})
