"""Greedy selection inside blocks of similar samples, merged into one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.data.picks import Picks
from recipe.engine import each
from recipe.errors import ConfigError
from recipe.stages.select._facility.tasks import UNLIMITED
from recipe.stages.select._image_limits import fill_up, take

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.data.vectors import Vectors


class Limits(NamedTuple):
    """Limits of a walk: (b,) cell and image of each sample; samples left per cell and per image, updated in place."""

    cell: NDArray[np.int32]
    wanted: NDArray[np.int64]
    image: NDArray[np.int32]
    room: NDArray[np.int64]


class Block(NamedTuple):
    """A block: positions of its samples among the selectable rows, their rows, limits, and expected picks."""

    places: NDArray[np.int64]
    rows: NDArray[np.int64]
    limits: Limits
    expected: float


class Walk(NamedTuple):
    """Positions in the block in pick order, the gain of each, which never grows, and the gain by term, (k, t)."""

    order: NDArray[np.int64]
    total: NDArray[np.float64]
    terms: NDArray[np.float64]


def ready(name: str, pool: Pool, *, block: int, candidates: float, weights: Mapping[str, float]) -> Vectors:
    """Return the vectors of a pool, after checking the knobs that all walks share."""
    if block < 2 or candidates < 1 or min(weights.values(), default=0) < 0:  # noqa: PLR2004  a pair
        got = f"block={block}, candidates={candidates}, weights={dict(weights)}"
        raise ConfigError(f"select.{name}: expected block from 2, candidates from 1 and weights from 0, got {got}")
    if pool.vectors is None:
        raise ConfigError(f"select.{name}: expected a pool with vectors; embed it first")
    return pool.vectors


def split_into_blocks(pool: Pool, quotas: Quotas, *, block: int, candidates: float) -> list[Block]:
    """Split the selectable rows of an embedded pool into blocks, each with `candidates` times its share of each quota.

    A block's share of a quota is the share of the cell's samples that are in it, rounded up. A pool of a single block
    uses each quota once, so that its walk is the whole selection. Blocks without a share are left out.
    """
    rows = np.flatnonzero(quotas.cell >= 0)
    vectors = pool.vectors
    blocks = [np.arange(len(rows))]
    if vectors is not None and len(rows) > block:
        blocks = cut_blocks(vectors, pool.rows["cluster"].to_numpy()[rows], most=block, rows=rows)
    supply = np.bincount(quotas.cell[rows], minlength=len(quotas.quota))
    factor = candidates if len(blocks) > 1 else 1.0
    found = []
    for places in blocks:
        cells, local, counts = np.unique(quotas.cell[rows[places]], return_inverse=True, return_counts=True)
        share = quotas.quota[cells] * (counts / supply[cells])
        wanted = np.minimum(np.ceil(factor * share - 1e-9).astype(np.int64), counts)
        image, room = np.zeros(len(places), np.int64), np.array([UNLIMITED])
        if quotas.per_image is not None:
            images, image = np.unique(quotas.image[rows[places]], return_inverse=True)
            room = np.full(len(images), quotas.per_image)
        if wanted.any():
            limits = Limits(local.astype(np.int32), wanted, image.astype(np.int32), room)
            found.append(Block(places, rows[places], limits, float(share.sum())))
    return found


def walk_blocks(
    blocks: list[Block], walk: Callable[[Block], Walk], quotas: Quotas, terms: Sequence[str], *, label: str
) -> Picks:
    """Select greedily inside each block, then merge the picks of all blocks by gain under the quotas of the pool.

    Gains never grow along a walk, so each walk keeps its order. Of equal gains the one found earlier in its walk goes
    first, then the smaller key.

    Parameters
    ----------
    blocks
        The blocks, as `split_into_blocks` returns them.
    walk
        A pure function that selects inside one block.
    quotas
        How many of each cell.
    terms
        Names of the columns of `Walk.terms`.
    label
        Label of the progress bar.

    Returns
    -------
    Picks
        As many rows as the quotas ask for.
    """
    nothing = Walk(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, len(terms))))
    walks = [nothing, *each(walk, blocks, label=label)]
    found = np.concatenate([walks[0].order, *(block.rows[w.order] for block, w in zip(blocks, walks[1:], strict=True))])
    total = np.concatenate([walked.total for walked in walks])
    step = np.concatenate([np.arange(len(walked.order)) for walked in walks])
    gains = np.concatenate([walked.terms for walked in walks])
    order = np.lexsort((found, step, -total))
    at = np.empty(len(quotas.cell), np.int64)
    at[found] = np.arange(len(found))
    taken = take(found[order], quotas)
    return fill_up(Picks(taken, {term: gains[at[taken], i] for i, term in enumerate(terms)}), quotas)
