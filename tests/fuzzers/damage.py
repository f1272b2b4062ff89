"""Damage for fuzzers: of bytes, and of values of JSON."""

from __future__ import annotations

import json

NESTED = json.loads("[" * 400 + "]" * 400)
ODD = (
    None, True, 0, -1, 10**30, 1e308, float("nan"), float("inf"), "", " ", "\x00", "\ud83d", "<image>", "</s>", [], {},
    [[]], [None], [{}], {"": None}, "/etc/passwd", "../../a.jpg", "x" * 70_000, "9" * 5_000, NESTED, ["a.jpg", "b.jpg"],
    [{"from": "human"}], [{"from": "gpt", "value": "Hi"}], "[0.1, 0.2, 0.3", "<st><ed>[1e999, 0, 0, 1]", "\u202e\ufeff",
)  # fmt: skip
TOKENS = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"[", b"]", b"{", b"}", b",",
    b":", b'"', b"\\", b"\\u", b"\\ud800", b"NaN", b"-Infinity", b"1e999", b"9" * 4_400, b"[" * 3_000, b'{"a":' * 3_000,
    b"\n", b"\r\n", b"null", b"<image>", b"\xe2\x80\xa8", b"//", b"'",
)  # fmt: skip


def damaged(data, others, rng):
    """Damage bytes once."""
    at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64, 512))
    kind = rng.randrange(6)
    if kind == 0 and data:
        at = rng.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[at + length :]
    if kind == 2:
        return data[:at]
    if kind == 3:
        return data[:at] + data[at : at + length] * rng.choice((2, 3, 50)) + data[at + length :]
    if kind == 4:
        other = rng.choice(others)
        start = rng.randrange(len(other) + 1)
        return data[:at] + other[start : start + 8 * length] + data[at:]
    return data[:at] + rng.choice(TOKENS) + data[at:]


def twisted(value, rng, keys=()):
    """Replace, drop, double or rename one member somewhere in a JSON value."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return rng.choice(ODD)
    at = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    kind = rng.randrange(8)
    items = dict(value) if isinstance(value, dict) else list(value)
    if kind == 0:
        del items[at]
    elif kind == 1 and isinstance(items, list):
        items.insert(at, items[at])
    elif kind == 2 and isinstance(items, dict):
        items[rng.choice(keys or list(value))] = items.pop(at)
    else:
        items[at] = twisted(items[at], rng, keys)
    return items
