"""Ridge regression from words, and from the teacher's vectors of words, to the teacher's vectors of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.engine import single_threaded
from recipe.stages.embed._words import add_up, bags

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

MEANING = (
    3.0  # prior variance of a word's meaning relative to that of its own direction: cross-validated, flat from 1 to 10
)


@single_threaded
def student(
    texts: pl.Series,
    answers: NDArray[np.float32],
    lengths: NDArray[np.float32],
    meanings: NDArray[np.float32],
    ridge: float,
) -> NDArray[np.float32]:
    """Return the table whose sums over the words of a text approximate the teacher's vectors; O(m^3 + m^2 d).

    Solved in its dual: with X the (m, features) unit rows of weighted counts and E the meanings, the kernel is
    X (I + MEANING E E') X', and the table is (I + MEANING E E') X' (kernel + ridge I)^-1 answers.

    Parameters
    ----------
    texts
        m texts.
    answers
        (m, d) float32, the teacher's vectors of the texts, minus their mean.
    lengths
        (features,) float32: weights of the columns.
    meanings
        (features, e) float32: the teacher's vector of each column's word; e may be 0.
    ridge
        Regularisation, above 0.

    Returns
    -------
    ndarray
        (features, d) float32, for `add_up` with the same lengths.
    """
    from scipy.linalg import cho_factor, cho_solve  # noqa: PLC0415  takes 0.2 s to load, and a student is fitted once

    counts = bags(texts, lengths)
    meant = add_up(texts, meanings * lengths[:, None], lengths).astype(np.float64)
    kernel = (counts @ counts.T).toarray().astype(np.float64)
    kernel += MEANING * (meant @ meant.T)
    kernel[np.diag_indices_from(kernel)] += ridge
    dual = cho_solve(cho_factor(kernel, lower=True, overwrite_a=True), answers.astype(np.float64))
    table = (counts.T @ dual).astype(np.float32)
    table += meanings @ (MEANING * (meant.T @ dual)).astype(np.float32)
    table *= lengths[:, None]
    return table
