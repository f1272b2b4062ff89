"""Herding: the picks of each cell have the distribution of the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.blocks import cut_blocks
from recipe.data.groups import grouped
from recipe.data.picks import Picks
from recipe.data.vectors import rows_of
from recipe.engine import each, single_threaded
from recipe.errors import ConfigError
from recipe.stages.select._image_limits import fill_up, take
from recipe.stages.select._kernels.lazy_greedy import QUANTUM
from recipe.stages.select._kernels.walks import gaussian_quanta, herd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.config.ranges import From2, Integer, Positive
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas

    Rows = NDArray[np.int64]


@single_threaded
def select(
    pool: Pool,
    quotas: Quotas,
    *,
    sigma: Positive = 1.0,
    block: From2 = 2000,
    seed: Integer = 0,  # noqa: ARG001  every selector takes a seed
) -> Picks:
    """Pick in each cell the samples whose distribution is closest to the cell's, greedily by MMD.

    The squared maximum mean discrepancy of a cell X and its picks Y is ``K_XX + K_YY - 2 K_XY``, the means of the
    kernel ``exp(-|x - y|^2 / (2 sigma^2))`` over all pairs; each pick minimises it. For unit rows ``|x - y|^2`` is
    ``2 - 2 cos``. Kernel values are rounded to multiples of 2**-14, so that sums and ties are exact; ties go to the
    smaller key. A cell of more than `block` samples is cut into blocks of neighbours, each with its share of the quota.
    The picks of all blocks are interleaved: pick r of q of a block comes at position (r + 1/2) / q, so that any prefix
    of the mix has each block in proportion. O(n block d) time, O(block^2) memory per thread.

    Parameters
    ----------
    pool
        n samples with vectors.
    quotas
        How many of each cell.
    sigma
        Width of the kernel, above 0: a distance of unit rows, which are 0..2 apart.
    block
        Samples per block, from 2.
    seed
        Any integer; unused.

    Returns
    -------
    Picks
        As many rows as the quotas ask for; the gain `herding` is the mean kernel of a pick to its block minus that to
        the earlier picks of the block: what herding maximises, in -1..1.

    Raises
    ------
    ConfigError
        If a knob is out of its range, or the pool is not embedded.

    References
    ----------
    Chen, Welling and Smola 2010, Super-Samples from Kernel Herding; Lee et al. 2024 (COINCIDE), section 3.3, for the
    step inside a cluster. The published code of COINCIDE sums the kernels of all picks again for each pick, O(n^2 m^2)
    for m picks of n; here both sums are updated, O(n^2). The selection is the same up to rounding.

    Examples
    --------
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=4), size=20, select="herding")
    >>> len(mix)
    20
    """
    if pool.vectors is None:
        raise ConfigError("select.herding: expected a pool with vectors; embed it first")
    if not (sigma > 0 and block >= 2):  # noqa: PLR2004  a pair
        raise ConfigError(
            f"select.herding: expected sigma above 0 and block from 2 on, got sigma={sigma}, block={block}"
        )
    vectors = pool.vectors
    cells = [cell for cell in cells_of(quotas) if quotas.quota[quotas.cell[cell[0]]] > 0]
    blocks = [rows for cell in cells for rows in _blocks(pool, cell, block)]
    supply = np.bincount(quotas.cell[quotas.cell >= 0], minlength=len(quotas.quota))

    def walk(rows: Rows) -> tuple[Rows, NDArray[np.float64], NDArray[np.float64]]:
        cell = quotas.cell[rows[0]]
        count = -(-int(quotas.quota[cell]) * len(rows) // int(supply[cell]))
        points = rows_of(vectors, rows)
        order, gain = herd(gaussian_quanta(points @ points.T, sigma), count)
        return rows[order], (np.arange(count) + 0.5) / count, gain / QUANTUM

    walks = each(walk, blocks, label="select: herding")
    none = np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    rows, at, gain = (np.concatenate(arrays) for arrays in zip(none, *walks, strict=True))
    gains = np.zeros(len(pool))
    gains[rows] = gain
    picks = fill_up(Picks(take(rows[np.lexsort((rows, at))], quotas)), quotas)
    return Picks(picks.rows, {"herding": gains[picks.rows]})


def cells_of(quotas: Quotas) -> list[Rows]:
    """List the rows of each cell that has any, ascending; O(n log n)."""
    rows = np.flatnonzero(quotas.cell >= 0)
    return grouped(rows, quotas.cell[rows])


def _blocks(pool: Pool, rows: Rows, block: int) -> list[Rows]:
    """Cut a large cell into blocks of neighbours."""
    if len(rows) <= block or pool.vectors is None:
        return [rows]
    return [rows[places] for places in cut_blocks(pool.vectors, np.zeros(len(rows), np.int32), most=block, rows=rows)]
