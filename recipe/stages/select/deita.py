"""Score first, diversity aware: the best samples of which no two are too similar."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.data.picks import Picks
from recipe.data.vectors import rows_of
from recipe.engine import each, single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._image_limits import fill_up, take
from recipe.stages.select._kernels.walks import pass_by
from recipe.stages.select._worth import worth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Integer, Name, Number, Positive
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.data.vectors import Vectors

    Rows = NDArray[np.int64]

BATCH = 2048  # samples that are compared at once with those kept before
SLICE = 256  # samples of a batch for one thread
NOTHING = np.float32(-2)  # similarity to nothing: below all others


class Filtered(NamedTuple):
    """Rows that were kept, and rows that were skipped as too similar, with their similarity to those kept."""

    kept: Rows
    skipped: Rows
    similarity: NDArray[np.float32]


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    by: Name | Mapping[str, Number] = "n_words",
    tau: Positive = 0.9,
    block: From2 = 1_000_000,
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Go through samples by descending score and keep each one whose cosine to all kept ones is below `tau`.

    If too few are kept, `tau` is relaxed as little as possible: the skipped samples come next, the least similar first,
    and of equally similar ones the better. In a pool of up to `block` samples this is exact. A larger one is cut into
    blocks of neighbours, each is filtered by itself, and the samples that they keep are picked by score; two similar
    samples may then both be kept if they are in different blocks. O(v k d) time for v samples visited and k kept per
    block: it ends when the size is reached.

    Parameters
    ----------
    pool
        n samples with vectors, `cluster`, and the columns that `by` names.
    quotas
        How many of each cell; samples of a full cell are ignored.
    by
        A score (or any column of numbers) as it is; or scores to weights, each counting by its rank, 0..1.
    tau
        Cosine from which two samples are too similar, above 0; above 1 no samples are.
    block
        Samples per block, from 2; a pool of at most as many is one block.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gains are `score`, and `similarity`: minus the best cosine to the kept
        samples if the sample was skipped at first, else 0.

    Raises
    ------
    ConfigError
        If a knob is out of its range, the pool is not embedded, or a column is missing.

    References
    ----------
    Liu et al. 2024, What Makes Good Data for Alignment? (DEITA), section 3.3. With batches of more than one sample, the
    published code also compares with samples that it dropped, and it returns too few samples if the filter leaves too
    few.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> len(select_mix(demo_pool(images=4), size=20, select={"deita": {"by": "length", "tau": 0.5}}))
    20
    """
    if pool.vectors is None:
        raise ConfigError("select.deita: expected a pool with vectors; embed it first")
    if not (tau > 0 and block >= 2):  # noqa: PLR2004  a pair
        raise ConfigError(f"select.deita: expected tau above 0 and block from 2 on, got tau={tau}, block={block}")
    rows = np.flatnonzero(quotas.cell >= 0)
    worth = np.zeros(len(pool))
    worth[rows] = worth_of(pool, rows, by, "select.deita: by")
    blocks = [np.arange(len(rows))]
    if len(rows) > block:
        blocks = cut_blocks(pool.vectors, pool.rows["cluster"].to_numpy()[rows], most=block, rows=rows)
    filtered = []
    for places in blocks:
        members = rows[places]
        filtered.append(_filter(pool.vectors, members[np.argsort(-worth[members], kind="stable")], quotas, tau))
    kept = np.concatenate([found.kept for found in filtered])
    skipped = np.concatenate([found.skipped for found in filtered])
    near = np.zeros(len(pool))
    near[skipped] = np.concatenate([found.similarity for found in filtered])
    best = take(kept[np.lexsort((kept, -worth[kept]))], quotas)
    more = take(skipped[np.lexsort((skipped, -worth[skipped], near[skipped]))], quotas, taken=best)
    picks = fill_up(Picks(np.concatenate([best, more])), quotas)
    return Picks(picks.rows, {"score": worth[picks.rows], "similarity": 0.0 - near[picks.rows]})


def _filter(vectors: Vectors, order: Rows, quotas: Quotas, tau: float) -> Filtered:
    """Go through rows in order, batch by batch, and compare each with all rows kept before it."""
    quota = quotas.quota.copy()
    images = np.zeros(int(quotas.image.max(initial=-1)) + 1, np.int64)
    most = quotas.per_image or len(quotas.cell)
    limits = (quotas.cell, quota, quotas.image, images, most)
    kept, skipped, similarity = [order[:0]], [order[:0]], [np.zeros(0, np.float32)]
    kept_points: list[NDArray[np.float32]] = []
    for at in range(0, len(order), BATCH):
        batch = order[at : at + BATCH]
        batch = batch[(quota[quotas.cell[batch]] > 0) & (images[quotas.image[batch]] < most)]
        if not quota.any():
            break
        points = rows_of(vectors, batch)
        slices = [points[first : first + SLICE] for first in range(0, len(points), SLICE)]
        found = each(partial(_nearest, kept_points, points), slices, label="select: deita") if slices else []
        nearest = np.concatenate([np.zeros(0, np.float32), *(best for best, _ in found)])
        among = np.concatenate([np.zeros((0, len(points)), np.float32), *(line for _, line in found)])
        state = pass_by(batch, nearest, among, np.float32(tau), *limits)
        kept.append(batch[state == 1])
        skipped.append(batch[state == 0])
        similarity.append(nearest[state == 0])
        kept_points.append(points[state == 1])
    return Filtered(np.concatenate(kept), np.concatenate(skipped), np.concatenate(similarity))


def _nearest(
    kept_points: list[NDArray[np.float32]], batch: NDArray[np.float32], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the best cosine of each point to the points kept before, and its cosines to its own batch."""
    best = np.full(len(points), NOTHING)
    for earlier in kept_points:
        if len(earlier):
            best = np.maximum(best, (points @ earlier.T).max(axis=1))
    return best, points @ batch.T
