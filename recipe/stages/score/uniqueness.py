"""How different a sample is from those before it in its cluster: sorting by it is SemDeDup at any threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from recipe.data.neighbours import in_blocks, nearest_earlier
from recipe.engine import each, single_threaded
from recipe.engine.seed import shuffled
from recipe.errors import ConfigError
from recipe.stages.score._vectors import eligible_members, to_centroid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Integer
    from recipe.data.pool import Pool

Keep = Literal["hard", "easy", "random"]

COSTLY = True  # minutes for a large pool, so it is cached


@single_threaded
def score(pool: Pool, *, keep: Keep = "hard", block: From2 = 20_000, seed: Integer = 0) -> NDArray[np.float32]:
    """Score 1 minus the largest cosine to the samples before it in its cluster.

    The samples that score more than e are those that SemDeDup keeps at the threshold e, so the k best are those that it
    would keep if e were tuned for k samples. A cosine below 0 counts as 0. O(n c d) for clusters of c samples, in tiles
    that take little memory.

    Parameters
    ----------
    pool
        n samples with vectors and `cluster`.
    keep
        Which samples come first and are kept: ``"hard"``, the farthest from the centroid; ``"easy"``, the nearest; or
        ``"random"``, in random order. Ties go to the smaller key.
    block
        Samples, from 2: a larger cluster is cut into blocks of neighbours, each with an order of its own.
    seed
        Any integer: seed for the order of ``"random"``.

    Returns
    -------
    ndarray
        (n,) float32 in 0..1; 1 for the first of a cluster, 0 for one that may not be selected.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the pool is not embedded or not clustered.

    References
    ----------
    Abbas et al. 2023, SemDeDup: Data-efficient learning at web-scale through semantic deduplication, section 3, and the
    stored maximum similarities of its code. As there, a sample is compared with all those before it, even if they would
    be dropped; `recipe.stages.dedup.semantic` drops a sample only for one that is kept. The published code sorts by the
    distance to the centroids of k-means, here it is the mean of the samples that may be selected.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> scored = score_pool(demo_pool(images=4))
    >>> float(score(scored).max())
    1.0
    """
    if keep not in get_args(Keep) or block < 2:  # noqa: PLR2004  a pair
        expected = f"keep as one of {', '.join(get_args(Keep))}, and block from 2 on"
        raise ConfigError(f"score.uniqueness: expected {expected}, got keep={keep!r}, block={block}")
    vectors, clusters = eligible_members(pool, "uniqueness")

    def order(members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put the members of one cluster in the order in which they are kept."""
        if keep == "random":
            return shuffled(members, pool.rows["key"], seed=seed, label="score.uniqueness")
        cosine = to_centroid(vectors, members)
        return members[np.argsort(cosine if keep == "hard" else -cosine, kind="stable")]

    blocks = in_blocks(vectors, clusters, block)
    orders = each(order, blocks, label="score: order")
    found = each(lambda rows: nearest_earlier(vectors, rows), orders, label="score: uniqueness")
    scores = np.zeros(len(pool), np.float32)
    for rows, nearest in zip(orders, found, strict=True):
        scores[rows] = 1 - nearest
    return scores
