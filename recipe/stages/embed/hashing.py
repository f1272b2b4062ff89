"""A bag of words, hashed and randomly projected: deterministic, offline, no download."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.vectors import unit_rows
from recipe.engine.seed import generator
from recipe.errors import ConfigError
from recipe.stages.embed._sample import sample_rows
from recipe.stages.embed._words import add_up, count_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from recipe.config.ranges import Columns, Integer, Width
    from recipe.data.pool import Pool

MOST = 4096  # dimensions
SAMPLE = 2**17  # texts in which words are counted: a word of one text in 10,000 is found 13 times


def fit(pool: Pool, *, d: Width = 256, features: Columns = 2**16, seed: Integer = 0) -> dict[str, NDArray[np.float32]]:
    """Count in how many texts each word occurs, and draw its direction.

    Parameters
    ----------
    pool
        n samples, of which the first 131,072 eligible ones are counted, tasks in proportion.
    d, features, seed
        As for `embed`.

    Returns
    -------
    dict
        ``table``: (features, d) float32, a Gaussian row for each hashed column, times its inverse document frequency.

    Raises
    ------
    ConfigError
        If `d` or `features` is out of its range.
    """
    if not 1 <= d <= MOST or features < 1:
        raise ConfigError(f"embed.hashing: expected d in 1..{MOST} and features from 1, got d={d}, features={features}")
    rows = sample_rows(pool, SAMPLE)
    found = count_texts(pool.texts_of(rows), features)
    idf = np.log((1 + len(rows)) / (1 + found)) + 1
    table = generator(seed, "embed.hashing").standard_normal((features, d), dtype=np.float32)
    table *= idf[:, None].astype(np.float32)
    return {"table": table}


def encode(
    shard: Pool,
    learned: Mapping[str, NDArray[np.float32]],
    *,
    d: Width = 256,  # noqa: ARG001  the table has it; every function of an embedder takes the same knobs
    features: Columns = 2**16,  # noqa: ARG001  the same
    seed: Integer = 0,  # noqa: ARG001  the same
) -> NDArray[np.float32]:
    """Embed the samples of a shard, each independently of the others.

    Parameters
    ----------
    shard
        m samples.
    learned
        What `fit` returned.
    d, features, seed
        As given to `fit`.

    Returns
    -------
    ndarray
        (m, d) float32 unit rows, the same to the last bit for any division of the pool into shards.
    """
    return encode_texts(shard.texts, learned)


def encode_texts(texts: pl.Series, learned: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the projected words of m texts, (m, d) float32 unit rows."""
    return unit_rows(add_up(texts, learned["table"]))


def embed(pool: Pool, *, d: Width = 256, features: Columns = 2**16, seed: Integer = 0) -> NDArray[np.float32]:
    """Embed every sample by the words of all its turns.

    Words are hashed to columns, weighted by sublinear tf-idf over a sample of this pool, and projected by a Gaussian
    matrix, which preserves cosines up to about 1/sqrt(d). O(words + n d w) for w distinct words per sample.

    Parameters
    ----------
    pool
        n samples.
    d
        Dimension of the vectors, 1..4096.
    features
        Number of hashed columns, from 1; with few columns words collide.
    seed
        Any integer: seed for the projection.

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
    >>> embed(pool).shape == (len(pool), 256)
    True
    """
    return encode(pool, fit(pool, d=d, features=features, seed=seed))
