"""A bag of words, hashed and randomly projected: deterministic, offline, no download."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError
from recipe.seed import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool

# Words of two letters and more: coordinates and other numbers of boxes would drown what is said about them.
WORD = r"(?u)\b[^\W\d_]\w+\b"
MOST = 4096  # dimensions


def embed(pool: Pool, *, d: int = 384, features: int = 2**16, seed: int = 0) -> NDArray[np.float32]:
    """Embed every sample by the words of all its turns.

    Terms are hashed to columns (MurmurHash3), weighted by sublinear tf-idf over this pool, and projected by a Gaussian
    matrix, which keeps cosines up to about 1/sqrt(d). O(words + n d w) for w distinct words a sample.

    Parameters
    ----------
    pool
        n samples.
    d
        Dimension of the vectors, 1..4096.
    features
        Number of hashed columns, from 1; few make words collide.
    seed
        Seed of the projection.

    Returns
    -------
    ndarray
        (n, d) float32 unit rows. A sample without a single word gets the first unit vector.

    Raises
    ------
    ConfigError
        If `d` or `features` is out of its range.

    References
    ----------
    Weinberger et al. 2009, Feature Hashing for Large Scale Multitask Learning, section 2; Johnson and Lindenstrauss
    1984, for the projection.

    Examples
    --------
    >>> from recipe import demo_pool
    >>> pool = demo_pool(images=4)
    >>> embed(pool).shape == (len(pool), 384)
    True
    """
    if not 1 <= d <= MOST or features < 1:
        raise ConfigError(f"embed.hashing: expected d on 1..{MOST} and features from 1, got d={d}, features={features}")
    if not len(pool):
        return np.zeros((0, d), np.float32)
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # noqa: PLC0415  takes 2 s to load

    words = HashingVectorizer(
        n_features=features, token_pattern=WORD, alternate_sign=False, norm=None, dtype=np.float32
    )
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(words.transform(pool.texts))
    projection = generator(seed, "embed.hashing").standard_normal((features, d), dtype=np.float32)
    return unit_rows(weights @ projection)


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row to length one in place; a zero row becomes the first unit vector."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))  # squares of float32 may overflow
    empty = length == 0
    vectors[empty, 0] = 1
    vectors /= np.where(empty, 1, length)[:, None]
    return vectors
