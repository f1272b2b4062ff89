"""Semantic duplicates: samples of one cluster with nearly the same vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.groups import grouped
from recipe.data.neighbours import first_keepers, in_blocks
from recipe.engine import each, single_threaded
from recipe.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Similarity
    from recipe.data.pool import Pool


@single_threaded
def dedup(pool: Pool, *, threshold: Similarity = 0.95, block: From2 = 20_000) -> NDArray[np.int64]:
    """Find for each sample the first kept one of its cluster whose cosine reaches the threshold; O(n c d).

    Samples are compared in the order of their keys, and c is the number kept per cluster. A sample is dropped only for
    one that is kept, so every dropped sample has a kept one close to it.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    threshold
        Cosine from which two samples of a cluster are duplicates, above 0 and up to 1.
    block
        Samples, from 2: a larger cluster is cut into blocks of neighbours, and compared inside them. Otherwise a
        cluster with much of the pool would take time quadratic in its size.

    Returns
    -------
    ndarray
        (n,) int64 row of the keeper; the sample's own row if it is kept, or has a problem already.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the pool is not embedded or not clustered.

    References
    ----------
    Abbas et al. 2023, SemDeDup: Data-efficient learning at web-scale through semantic deduplication, section 3. The
    published code also drops a sample for one that was itself dropped, so that only the first of a chain of near
    samples is left; `recipe.stages.score.uniqueness` ranks as that code does.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> keeper = dedup(score_pool(demo_pool(images=4)), threshold=0.9)
    >>> bool((keeper[keeper] == keeper).all())
    True
    """
    if not (0 < threshold <= 1 and block >= 2):  # noqa: PLR2004  a pair
        got = f"threshold={threshold}, block={block}"
        raise ConfigError(f"dedup.semantic: expected a threshold above 0 and up to 1, block from 2 on, got {got}")
    if pool.vectors is None or "cluster" not in pool.rows.columns:
        raise ConfigError("dedup.semantic: expected a pool with vectors and clusters; embed and cluster it first")
    vectors, eligible = pool.vectors, np.flatnonzero(pool.eligible)
    blocks = in_blocks(vectors, grouped(eligible, pool.rows["cluster"].to_numpy()[eligible]), block)
    keeper = np.arange(len(pool))
    found = each(lambda rows: first_keepers(vectors, rows, threshold), blocks, label="dedup: semantic")
    for rows, kept in zip(blocks, found, strict=True):
        keeper[rows] = kept
    return keeper
