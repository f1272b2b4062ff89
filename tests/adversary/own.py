"""Functions of a user that return what they may not, raise, or write into what they are lent: one of each kind.

The first letter says the stage: p picks, s scores, e embeds, k clusters, b balances, r reads, w writes.
"""

import sys

import numpy as np

from recipe.data.picks import Picks
from recipe.stages.balance.proportional import balance
from recipe.stages.read import Entry


def right(pool, quotas):
    """The first rows of each cell."""
    order = np.arange(len(pool))
    return np.concatenate([order[quotas.cell == cell][:quota] for cell, quota in enumerate(quotas.quota)])


def changed(rows, value):
    """Rows with another first one."""
    return np.concatenate([[value], rows[1:]])


def picking(make):
    """A selector that returns what a function makes of the right rows."""
    return lambda pool, quotas: make(right(pool, quotas), pool, quotas)


def scoring(make):
    """A score that returns what a function makes of the number of samples."""
    return lambda pool: make(len(pool))


def sharing(make):
    """A rule that returns what a function makes of the right shares."""
    return lambda counts, size: make(balance(counts, size), counts)


def reading(**fields):
    """A reader of one entry with these fields."""
    return lambda record, context: [Entry(**({"turns": [("human", "Who?"), ("gpt", "I.")]} | fields))]  # noqa: ARG005


def returning(count):
    """A writer that writes a file and returns something."""
    return lambda pool, rows, path: path.write_text("x") and count  # noqa: ARG005


class Embedder:
    """An embedder made of functions."""

    def __init__(self, encode=None, fit=None, report=None):
        self.encode_ = encode or (lambda n: np.ones((n, 3), np.float32))
        if fit:
            self.fit = lambda pool, **_: fit(pool)
        if report:
            self.report = report

    def encode(self, shard, learned, *, seed=0):  # noqa: ARG002
        """Embed a shard."""
        return self.encode_(len(shard))


PICKS = {
    "no picks": (picking(lambda rows, *_: rows), "expected Picks, got ndarray"),
    "floats": (
        picking(lambda rows, *_: Picks(rows.astype(float))),
        "array of integers, got shape=(20,), dtype=float64",
    ),
    "objects": (picking(lambda rows, *_: Picks(rows.astype(object))), "dtype=object"),
    "a mask": (picking(lambda _, pool, __: Picks(pool.eligible)), "dtype=bool"),
    "a column": (picking(lambda rows, *_: Picks(rows[:, None])), "got shape=(20, 1)"),
    "nothing": (picking(lambda *_: Picks(None)), "dtype=object"),
    "text": (picking(lambda *_: Picks("abc")), "dtype=<U3"),
    "masked": (picking(lambda rows, *_: Picks(np.ma.masked_array(rows, mask=rows > 9))), "array of integers, got mask"),
    "negative": (picking(lambda rows, *_: Picks(changed(rows, -1))), "rows from 0 to"),
    "too large": (picking(lambda rows, *_: Picks(changed(rows, 10**9))), "got row=1000000000"),
    "twice": (picking(lambda rows, *_: Picks(changed(rows, rows[1]))), "at most once"),
    "a problem": (picking(lambda r, _, q: Picks(changed(r, np.flatnonzero(q.cell < 0)[0]))), "which has a problem"),
    "too few": (picking(lambda rows, *_: Picks(rows[:-3])), "expected 20 picks, as the quotas ask for, got 17"),
    "too many": (picking(lambda _, pool, __: Picks(np.flatnonzero(pool.eligible))), "expected 20 picks"),
    "other cells": (picking(lambda _, __, q: Picks(np.flatnonzero(q.cell >= 0)[-20:])), "picks of cell"),
    "gains of NaN": (picking(lambda rows, *_: Picks(rows, {"a": np.full(20, np.nan)})), "gains['a']: expected a (20,)"),
    "few gains": (picking(lambda rows, *_: Picks(rows, {"a": np.ones(3)})), "got shape=(3,)"),
    "a list of gains": (picking(lambda rows, *_: Picks(rows, [1, 2])), "expected gains as a mapping"),
    "gains of text": (picking(lambda rows, *_: Picks(rows, {"a": ["x"] * 20})), "array of finite numbers"),
    "value of text": (
        picking(lambda rows, *_: Picks(rows, {}, "high", 1.0)),
        "value: expected a finite number or None",
    ),
    "bound of NaN": (picking(lambda rows, *_: Picks(rows, {}, 1.0, float("nan"))), "bound: expected a finite number"),
    "raises": (picking(lambda *_: {}["a\nb"]), "raised KeyError: 'a\\nb' (own.py, line "),
    "exits": (picking(lambda *_: sys.exit("bye")), "raised SystemExit: bye (own.py, line "),
    "writes vectors": (picking(lambda _, pool, __: pool.vectors.fill(0)), "read-only"),
    "writes cells": (picking(lambda _, __, quotas: quotas.cell.fill(0)), "read-only"),
    "writes quotas": (picking(lambda _, __, quotas: quotas.quota.fill(0)), "read-only"),
}
SCORES = {
    "a list": (scoring(lambda n: [0.0] * n), "expected a NumPy array of shape"),
    "nothing": (scoring(lambda _: None), "got NoneType"),
    "a generator": (scoring(lambda n: (0.0 for _ in range(n))), "got generator"),
    "a number": (scoring(lambda _: 0.5), "got float"),
    "masked": (scoring(lambda n: np.ma.masked_array(np.zeros(n, np.float32), mask=True)), "got MaskedArray"),
    "objects": (scoring(lambda n: np.zeros(n, object)), "dtype=object"),
    "complex": (scoring(lambda n: np.zeros(n, complex)), "dtype=complex128"),
    "text": (scoring(lambda n: np.array(["a"] * n)), "dtype=<U1"),
    "truth": (scoring(lambda n: np.ones(n, bool)), "dtype=bool"),
    "swapped bytes": (scoring(lambda n: np.zeros(n, ">f4")), "dtype=>f4"),
    "NaN": (scoring(lambda n: np.full(n, np.nan, np.float32)), "expected finite scores"),
    "infinity": (scoring(lambda n: np.full(n, np.inf, np.float32)), "expected finite scores"),
    "a column": (scoring(lambda n: np.zeros((n, 1), np.float32)), "expected a score of shape"),
    "too few": (scoring(lambda _: np.zeros(3, np.float32)), "got mine: shape=(3,)"),
    "raises": (scoring(lambda _: 1 / 0), "raised ZeroDivisionError: division by zero (own.py, line "),
    "exits": (scoring(lambda _: sys.exit()), "raised SystemExit"),
    "writes vectors": (lambda pool: pool.vectors.fill(0), "read-only"),
}
VECTORS = {
    "nothing": (lambda _: None, "expected a NumPy array of shape"),
    "a list": (lambda n: [[1.0, 0.0]] * n, "got list"),
    "masked": (lambda n: np.ma.masked_array(np.ones((n, 2), np.float32), mask=True), "got MaskedArray"),
    "a row": (lambda n: np.ones(n, np.float32), "d) and dtype"),
    "too few": (lambda _: np.ones((3, 3), np.float32), "got shape=(3, 3)"),
    "no width": (lambda n: np.ones((n, 0), np.float32), ", 0)"),
    "integers": (lambda n: np.ones((n, 3), int), "dtype=int64"),
    "truth": (lambda n: np.ones((n, 3), bool), "dtype=bool"),
    "complex": (lambda n: np.ones((n, 3), complex), "dtype=complex128"),
    "objects": (lambda n: np.ones((n, 3), object), "dtype=object"),
    "text": (lambda n: np.full((n, 3), "x"), "dtype=<U1"),
    "NaN": (lambda n: np.full((n, 3), np.nan, np.float32), "expected finite vectors"),
    "infinity": (lambda n: np.full((n, 3), np.inf), "expected finite vectors"),
    "raises": (lambda _: {}["x"], "raised KeyError: 'x' (own.py, line "),
    "exits": (lambda _: sys.exit(0), "raised SystemExit: 0 (own.py, line "),
}
EMBEDDERS = {
    "fit of nothing": (Embedder(fit=lambda _: None), "fit: expected a mapping of names to arrays, got None"),
    "fit of objects": (Embedder(fit=lambda _: {"a": object()}), "expected an array of numbers or text as a"),
    "fit of a number": (Embedder(fit=lambda _: {3: np.ones(2)}), "expected names like those of variables"),
    "fit of a path": (Embedder(fit=lambda _: {"../../x": np.ones(2)}), "expected names like those of variables"),
    "fit raises": (Embedder(fit=lambda _: {}["x"]), "fit raised KeyError: 'x' (own.py, line "),
    "fit writes": (Embedder(fit=lambda pool: pool.eligible.fill(1) or {"a": object()}), "expected an array"),
    "report of nothing": (Embedder(report=lambda _: None), "report: expected a mapping of names to finite numbers"),
    "report of NaN": (Embedder(report=lambda _: {"a": float("nan")}), "got {'a': nan}"),
    "report of text": (Embedder(report=lambda _: {"a": "good"}), "got {'a': 'good'}"),
    "report raises": (Embedder(report=lambda _: 1 / 0), "report raised ZeroDivisionError"),
}
CLUSTERS = {
    "nothing": (lambda _: None, "expected a NumPy array of shape"),
    "a list": (lambda vectors: [0] * len(vectors), "got list"),
    "floats": (lambda vectors: np.zeros(len(vectors)), "dtype=float64"),
    "columns": (lambda vectors: np.zeros((len(vectors), 2), int), ", 2)"),
    "text": (lambda vectors: np.array(["a"] * len(vectors)), "dtype=<U1"),
    "objects": (lambda vectors: np.zeros(len(vectors), object), "dtype=object"),
    "negative": (lambda vectors: np.full(len(vectors), -1), "got -1 to -1"),
    "too large": (lambda vectors: np.full(len(vectors), 2**40), "below 2147483648"),
    "too few": (lambda _: np.zeros(3, int), "shape=(3,)"),
    "raises": (lambda _: 1 / 0, "raised ZeroDivisionError"),
    "writes": (lambda vectors: vectors.fill(0), "read-only"),
}
SHARES = {
    "a mapping": (sharing(lambda *_: {"a": 1}), "got dict"),
    "nothing": (sharing(lambda *_: None), "got NoneType"),
    "ragged lists": (sharing(lambda *_: [[1], [1, 2]]), "got list"),
    "text": (sharing(lambda share, _: ["x"] * len(share)), "got list"),
    "objects": (sharing(lambda share, _: share.astype(object)), "dtype=object"),
    "floats": (sharing(lambda share, _: share.astype(float)), "dtype=float64"),
    "NaN": (sharing(lambda share, _: np.full(len(share), np.nan)), "dtype=float64"),
    "masked": (sharing(lambda share, _: np.ma.masked_array(share, mask=True)), "integers within the supply"),
    "too few": (sharing(lambda share, _: share[:-1]), "integers within the supply"),
    "too many": (sharing(lambda share, _: share + 1), "whose sum is 20"),
    "negative": (
        sharing(lambda share, _: np.concatenate([[share[0] - 50], share[1:-1], [share[-1] + 50]])),
        "sum=20, -",
    ),
    "raises": (sharing(lambda *_: 1 / 0), "raised ZeroDivisionError"),
    "writes": (sharing(lambda _, counts: counts.fill(0)), "read-only"),
}


def stops_in_the_middle(record, context):  # noqa: ARG001
    """Yield one entry, then raise."""
    yield Entry([("human", "Who?"), ("gpt", "I.")])
    raise ValueError("middle")


def calls_itself(record, context):
    """Call itself for ever."""
    return calls_itself(record, context)


READERS = {
    "nothing": (lambda record, context: None, "expected an iterable of Entry objects, got None"),  # noqa: ARG005
    "a number": (lambda record, context: 3, "got 3"),  # noqa: ARG005
    "one entry": (lambda record, context: Entry([]), "expected an iterable of Entry objects"),  # noqa: ARG005
    "a mapping": (lambda record, context: [record], "Entry objects, got dict"),  # noqa: ARG005
    "no turns": (reading(turns=None), "expected turns as a list"),
    "turns of text": (reading(turns="ab"), "got turns='ab'"),
    "turns of numbers": (reading(turns=[("human", 3)]), "expected turns"),
    "turns of three": (reading(turns=[("human", "a", "b")]), "expected turns"),
    "another speaker": (reading(turns=[("robot", "a")]), "expected turns"),
    "an unhashable speaker": (reading(turns=[([], "a")]), "expected turns"),
    "image": (reading(image=3), "expected image as str or None, got image=3"),
    "id": (reading(id=3), "expected id as str"),
    "extra": (reading(extra={"a": 1}), "expected extra as str"),
    "extra of no JSON": (reading(extra="no json"), "expected extra as a JSON object in a text"),
    "extra of a list": (reading(extra="[]"), "expected extra as a JSON object"),
    "raw": (reading(raw="text"), "expected raw as bytes"),
    "problem": (reading(problem=True), "expected problem as str"),
    "task": (reading(task_name=b"a"), "expected task_name as str"),
    "raises": (stops_in_the_middle, "stops_in_the_middle raised ValueError: middle (own.py, line "),
    "exits": (lambda record, context: sys.exit(1), "raised SystemExit: 1"),  # noqa: ARG005
    "too deep": (calls_itself, "raised RecursionError"),
}


def _other(path):
    """Make another file outside of the folder of a path."""
    other = path.parent.parent / "other.txt"
    other.write_text("x")
    return other


WRITERS = {
    "nothing": (returning(None), "expected the number of records written, got None"),
    "text": (returning("5"), "got '5'"),
    "truth": (returning(True), "got True"),
    "a fraction": (returning(2.5), "got 2.5"),
    "negative": (returning(-1), "got -1"),
    "no file": (lambda pool, rows, path: len(rows), "expected it to write the file"),  # noqa: ARG005
    "a folder": (lambda pool, rows, path: path.mkdir() or len(rows), "expected it to write the file"),  # noqa: ARG005
    "a symbolic link": (
        lambda pool, rows, path: path.symlink_to(_other(path)) or len(rows),  # noqa: ARG005
        "got a link to another",
    ),
    "a hard link": (
        lambda pool, rows, path: path.hardlink_to(_other(path)) or len(rows),  # noqa: ARG005
        "got a link to another",
    ),
    "raises": (lambda pool, rows, path: 1 / 0, "raised ZeroDivisionError"),  # noqa: ARG005
    "exits": (lambda pool, rows, path: sys.exit(1), "raised SystemExit"),  # noqa: ARG005
    "writes rows": (lambda pool, rows, path: rows.fill(0), "read-only"),  # noqa: ARG005
}
