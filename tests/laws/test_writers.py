"""Laws of every writer."""

from __future__ import annotations

from functools import partial

import numpy as np

from recipe.config.registry import find

PICTURE = b"\xff\xd8\xff\xe0 no more than the mark of a JPEG"
KNOBS = {"webdataset": {"pictures": lambda wanted: (PICTURE for _ in wanted)}}  # it cannot be called without


def test_the_same_bytes_again(write_name, toy, unchanged, tmp_path):
    """A writer says how many records it wrote, writes the same bytes again, and leaves no other file and the pool."""
    rows = np.flatnonzero(toy.eligible)[::3].astype(np.int64)
    write, knobs = find("write", write_name), KNOBS.get(write_name, {})
    counts = [write(unchanged(toy), rows, tmp_path / name, **knobs) for name in ("one", "two")]
    assert counts[0] == counts[1]
    assert 0 < counts[0] <= len(rows)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one", "two"]


def test_order_is_kept(write_name, toy, tmp_path):
    """Rows in another order are other bytes, and no rows are a file too."""
    rows = np.flatnonzero(toy.eligible)[:5].astype(np.int64)
    write = partial(find("write", write_name), **KNOBS.get(write_name, {}))
    write(toy, rows, tmp_path / "one")
    write(toy, rows[::-1].copy(), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() != (tmp_path / "two").read_bytes()
    assert write(toy, rows[:0], tmp_path / "none") == 0
