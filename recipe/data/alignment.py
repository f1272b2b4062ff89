"""Vectors in the right order: by keys or ids, in the order of the pool or of its sources; and a check that they are."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from recipe.errors import AlignmentError, Unrelated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from recipe.data.vectors import Vectors

    Texts = Callable[[NDArray[np.int64]], pl.Series]

Order = Literal["pool", "sources"]
Name = Literal["key", "id"]

SAMPLE = 2000  # samples of which nearest neighbours are compared
ENOUGH = 50  # below so many samples chance decides
CLEARLY = 6.0  # standard errors: one false alarm in 10^9 if chance alone decided
NEAR = 0.01  # lengths: so far apart are vectors of one text that a model computed in other batches, in 16 bits
BLOCK = 2**14  # vectors that are compared at once
HARDLY = 3.0  # standard errors below which neighbours share no more words than strangers
DOORS = 'keys=..., ids=..., order="sources" (as the files are read) or order="pool" (as pool.rows)'


def rows_by_order(samples: pl.DataFrame, order: str | None) -> NDArray[np.int64]:
    """Return which vector each sample of the pool has, of vectors in the order of the pool or of its sources.

    Raises
    ------
    AlignmentError
        If there is no such order, or none is named and the two differ.
    """
    read = samples["order"].to_numpy().astype(np.int64)
    here = np.arange(samples.height)
    if order not in {None, "pool", "sources"}:
        raise AlignmentError(f"expected order='pool' or order='sources', got order={order!r}")
    if order is None and not np.array_equal(read, here):
        raise AlignmentError(f"the pool is not in the order of its sources: say which vector is whose by {DOORS}")
    return read if order == "sources" else here


def rows_by_name(
    samples: pl.DataFrame, column: Name, names: Sequence[str] | pl.Series, vectors: NDArray[np.floating[Any]]
) -> NDArray[np.int64]:
    """Return which vector each sample of the pool has, of vectors with these keys or ids; further names are ignored.

    Raises
    ------
    AlignmentError
        If a sample has no vector, or two that differ, or an id is that of several samples, here or in the names.
    """
    try:
        given = pl.Series("name", list(names)).cast(pl.String)
    except (TypeError, pl.exceptions.PolarsError):
        raise AlignmentError(f"expected texts as {column}s, got others, as {list(names)[:1]!r:.80}") from None
    if column == "id":
        check_ids(samples, given)
    check_repeats(samples[column], given, vectors.__getitem__)
    known = given.to_frame().with_row_index("at").unique("name", keep="first", maintain_order=True)
    found = samples.select(name=column).join(known, on="name", how="left", maintain_order="left")["at"]
    if found.null_count():
        first = samples[column].filter(found.is_null())[0]
        what = f"{found.null_count()} have none, as {column}={first!r}"
        raise AlignmentError(f"expected a vector for each of {samples.height} samples by {column}, {what}")
    return found.cast(pl.Int64).to_numpy()


def check_ids(samples: pl.DataFrame, given: pl.Series) -> None:
    """Raise if an id of the given ones names several samples of the pool, or is given twice."""
    ours = samples.select("id", "key").unique()["id"]
    repeated = ours.filter(ours.is_duplicated() & ours.is_in(given.to_list())).sort()
    repeated = repeated if len(repeated) else given.filter(given.is_duplicated()).sort()
    if len(repeated):
        raise AlignmentError(f"expected ids of one sample each, got id={repeated[0]!r} of several; give keys")


def check_repeats(
    ours: pl.Series, given: pl.Series, vectors_at: Callable[[NDArray[np.int64]], NDArray[np.floating[Any]]]
) -> None:
    """Raise if a key of the pool is given twice with vectors that differ: which one counts would depend on their order.

    Parameters
    ----------
    ours
        (n,) str, keys or ids of the pool; others are ignored.
    given
        (m,) str, the name of each vector.
    vectors_at
        Returns the vectors in some rows, (k, d) floats.

    Raises
    ------
    AlignmentError
        If two vectors of a name are further apart than `NEAR` times the length of the longer.
    """
    table = given.alias("name").to_frame().with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64))
    table = table.filter(pl.col("name").is_duplicated() & pl.col("name").is_in(ours.unique().to_list()))
    table = table.with_columns(first=pl.col("at").first().over("name")).filter(pl.col("at") > pl.col("first"))
    for some in table.iter_slices(BLOCK):
        one, other = (np.array(vectors_at(some[name].to_numpy()), np.float64) for name in ("first", "at"))
        longer = np.maximum(np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1))
        apart = np.linalg.norm(one - other, axis=1) > NEAR * longer
        if apart.any():
            name = some["name"][int(apart.argmax())]
            raise AlignmentError(f"expected one vector for {name!r:.80}, got two that differ; keep one of them")


def check_order(samples: pl.DataFrame, vectors: Vectors, order: Order | None, texts_of: Texts) -> None:
    """Compare neighbours by vectors with the words of their texts.

    Samples whose vectors are near have more words in common than two samples at random, unless the vectors are another
    sample's. The test is made for the order that was named and for the other one, on up to 2,000 samples: texts are
    compared by the cosine of their words, rare words weighing more. O(m^2 d).

    Parameters
    ----------
    samples
        The n rows of a pool.
    vectors
        (n, d) in the order of the pool.
    order
        The order that they were given in; None if they came with names.
    texts_of
        From some row numbers to their texts.

    Raises
    ------
    AlignmentError
        If the vectors fit the texts far better in the other order.

    Warns
    -----
    Unrelated
        If neighbours share no more words than strangers.
    """
    rows = np.flatnonzero((samples["n_words"] > 0).to_numpy())[:SAMPLE]  # keys are hashes: the first are at random
    if len(rows) < ENOUGH:
        return
    words = _words(texts_of(rows))
    shared = _shared(words, vectors[rows])
    if order is not None:
        read = samples["order"].to_numpy().astype(np.int64)
        back = np.empty(samples.height, np.int64)
        back[read] = np.arange(samples.height)
        swapped = read if order == "pool" else back
        gain = _shared(words, vectors[swapped[rows]]) - shared
        if _errors(gain) > CLEARLY and not np.array_equal(read, np.arange(samples.height)):
            other = "sources" if order == "pool" else "pool"
            what = f"expected vectors in the order of the {order}, but they fit the texts in the order of the {other}"
            raise AlignmentError(f"{what}; give order={other!r}, or keys or ids")
    strangers = words[np.roll(np.arange(len(rows)), len(rows) // 2)]
    if _errors(shared - np.asarray(words.multiply(strangers).sum(axis=1)).ravel()) < HARDLY:
        what = "neighbours by these vectors share no more words than samples at random"
        warnings.warn(
            f"{what}: if they are vectors of texts, check whose they are; give {DOORS}", Unrelated, stacklevel=3
        )


def _words(texts: pl.Series) -> csr_array:
    """Return the words of texts as unit rows, rare words weighing more."""
    from scipy.sparse import csr_array  # noqa: PLC0415  starts fast

    from recipe.data.words import words_of  # noqa: PLC0415  compiles kernels

    words = words_of(texts)
    _, column = np.unique(words.hashes, return_inverse=True)
    row = np.repeat(np.arange(len(texts)), words.counts)
    each = np.unique(np.stack([row, column.ravel()]), axis=1)
    weight = np.log(len(texts) / np.bincount(each[1]))[each[1]]
    length = np.sqrt(np.bincount(each[0], weight**2, len(texts)))[each[0]]
    return csr_array((weight / np.maximum(length, 1e-12), (each[0], each[1])))


def _shared(words: csr_array, vectors: Vectors) -> NDArray[np.float64]:
    """Return how alike the texts of each sample and of its nearest neighbour are, 0..1."""
    some = np.array(vectors, np.float32)
    some /= np.maximum(np.linalg.norm(some, axis=1, keepdims=True), 1e-12)
    likeness = some @ some.T
    np.fill_diagonal(likeness, -np.inf)
    return np.asarray(words.multiply(words[likeness.argmax(axis=1)]).sum(axis=1)).ravel()


def _errors(difference: NDArray[np.float64]) -> float:
    """Return the mean of differences in standard errors."""
    spread = float(difference.std()) / np.sqrt(len(difference))
    return float(difference.mean()) / spread if spread > 0 else 0.0
