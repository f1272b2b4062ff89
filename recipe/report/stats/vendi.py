"""The Vendi score: the effective number of different samples in a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import rows_of
from recipe.engine import each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors

BLOCK = 8192  # rows whose products are summed at a time


def vendi(vectors: Vectors, rows: NDArray[np.int64]) -> float:
    """Return the Vendi score of some rows under the cosine kernel; O(m d^2 + d^3).

    The score is exp(-sum l log l) over the eigenvalues l of K / m, where K is the (m, m) matrix of cosines. K = X X^T
    has the same eigenvalues, except zeros, as the (d, d) matrix X^T X, so it is exact for any m.

    Parameters
    ----------
    vectors
        (n, d) float16 or float32 rows; those of length zero are ignored.
    rows
        (m,) row numbers.

    Returns
    -------
    float
        On 1..min(m, d); 0 for no rows.

    References
    ----------
    Friedman and Dieng 2023, The Vendi Score: A Diversity Evaluation Metric for Machine Learning, sections 3 and 3.4.

    Examples
    --------
    >>> round(vendi(np.eye(4, dtype=np.float32), np.arange(4)), 6)
    4.0
    """

    def dual(part: NDArray[np.int64]) -> NDArray[np.float64]:
        shown = rows_of(vectors, part).astype(np.float64)
        length = np.linalg.norm(shown, axis=1, keepdims=True)
        shown /= np.where(length > 0, length, 1)
        return shown.T @ shown

    ordered = np.sort(rows)
    parts = [ordered[at : at + BLOCK] for at in range(0, len(ordered), BLOCK)]
    if not parts:
        return 0.0
    summed = np.sum(each(dual, parts, label="report: vendi"), axis=0)
    values = each(np.linalg.eigvalsh, [summed], label="report: vendi")[0]  # on one thread, for one order of sums
    shares = np.clip(values, 0, None) / max(float(values.sum()), 1e-300)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum())) if len(shares) else 0.0
