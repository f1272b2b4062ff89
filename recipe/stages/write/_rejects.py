"""Samples that may not be selected, one JSON line each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from recipe.data.problems import PROBLEMS, code_of
from recipe.io.arrow import take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.data.pool import Pool

KEYS = ("source", "record", "id", "key", "code", "detail", "message")  # of each line


def reject_lines(pool: Pool) -> Iterator[str]:
    """Yield one line per sample with a problem, in file order: where it is, what is wrong, and what to do."""
    columns = ("source", "record", "row", "id", "key", "problem")
    rejects = take(pool.rows, columns, np.flatnonzero(~pool.eligible)).sort("source", "record", "row").drop("row")
    for source, record, sample, key, problem in rejects.iter_rows():
        code = code_of(problem)
        known = PROBLEMS.get(code)
        detail, message = problem[len(code) + 1 :] or None, f"{known.what}; {known.fix}" if known else problem
        line = dict(zip(KEYS, (source, record, sample, key, code, detail, message), strict=True))
        yield json.dumps(line) + "\n"
