"""Swap rounds: a pick gives its place to a sample of its cell that serves better, until the user's rounds are spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipe.select._kernels import quantise
from recipe.select._swap import swap_once
from recipe.select._tasks import UNLIMITED, look, per_block
from recipe.vectors import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.select._rounds import Ground
    from recipe.select._terms import Terms
    from recipe.vectors import Vectors


class Territory(NamedTuple):
    """All points that the picks of one block serve: their rows, which of them are picks, their terms and limits."""

    rows: NDArray[np.int64]
    picks: NDArray[np.int64]
    terms: Terms
    seen: NDArray[np.int64]
    room: NDArray[np.int64]


def refine(ground: Ground, picks: NDArray[np.int64], rounds: int, reach: int) -> NDArray[np.int64]:
    """Improve picks by rounds of swaps in the manner of FasterPAM; the objective never falls.

    Every point is served by its nearest pick. The picks of a block and all points that they serve are a territory; each
    non-pick of it, in the order of places, is tried in place of each pick of the same cell, and the best swap is made
    at once if it raises the objective of the territory. No point stands in two territories, so what each gains all
    gain; only the concave term of concepts is seen as it was before the round, and a round by which the whole objective
    fell is undone, and the last. O(rounds n d (reach + block)).

    Parameters
    ----------
    ground
        The ground set.
    picks
        Places.
    rounds
        How often all are tried.
    reach
        Picks that a point looks at to find the nearest.

    Returns
    -------
    ndarray
        (k,) places, ascending; of each cell as many as before.

    References
    ----------
    Schubert and Rousseeuw 2021, Fast and eager k-medoids clustering (FasterPAM).
    """
    picks = np.sort(picks)
    owner, value = _serve(ground, picks, reach)
    for _ in range(rounds):
        better = _swap_all(ground, picks, owner)
        owner, reached = _serve(ground, better, reach)
        if reached <= value:
            break
        picks, value = better, reached
    return picks


def _serve(ground: Ground, picks: NDArray[np.int64], reach: int) -> tuple[NDArray[np.int32], int]:
    """Return the number of the nearest pick of each place, and the objective in quanta."""
    views = ground.views(ground.by_block(picks), picks, reach, 1)
    owner = np.empty(len(ground.rows), np.int32)
    value = int(ground.terms.bonus[picks].sum()) + _concept_value(ground.terms, picks)
    for places, (number, quanta) in zip(
        ground.blocks, per_block(look, ground.vectors, views, label="select: nearest"), strict=True
    ):
        owner[places] = number[:, 0]
        value += int(quanta.sum(dtype=np.int64))
    return owner, value


def _seen(terms: Terms, picks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the picks of each concept."""
    return np.bincount(terms.take(picks).concepts, minlength=len(terms.worth)).astype(np.int64)


def _concept_value(terms: Terms, picks: NDArray[np.int64]) -> int:
    """Return what the concepts of the picks are worth: all steps that each count took, rounded as greedy rounds them."""
    seen = _seen(terms, picks)
    steps = np.arange(seen.max(initial=0), dtype=np.float64)
    root = np.sqrt(steps + 1) + np.sqrt(steps)
    return sum(int((terms.worth[u] / root[:count]).astype(np.int64).sum()) for u, count in enumerate(seen.tolist()))


def _swap_all(ground: Ground, picks: NDArray[np.int64], owner: NDArray[np.int32]) -> NDArray[np.int64]:
    """Swap once in every territory; an image is let in only by the block that its first row lies in."""
    home = ground.home
    by_territory = np.argsort(home[picks][owner], kind="stable")
    sizes = np.bincount(home[picks][owner], minlength=len(ground.blocks))
    is_pick = np.zeros(len(home), np.bool_)
    is_pick[picks] = True
    image = ground.terms.image
    held = np.bincount(image[picks], minlength=int(image.max()) + 1)
    keeper = np.empty(len(held), np.int64)
    keeper[image[::-1]] = home[::-1]
    seen = _seen(ground.terms, picks)
    territories, found = [], []
    for b, places in enumerate(np.split(by_territory, np.cumsum(sizes)[:-1])):
        # a pick stands in its own territory even where an equal one serves it
        own = picks[home[picks] == b] if len(ground.blocks) > 1 else picks
        where = np.union1d(places[~is_pick[places]], own)
        if len(own) == 0:
            continue
        images, local = np.unique(image[where], return_inverse=True)
        room = np.where(keeper[images] == b, (ground.per_image or UNLIMITED) - held[images], 0)
        if ground.per_image is None:
            room[:] = UNLIMITED
        terms = ground.terms.take(where).with_image(local.astype(np.int32))
        territories.append(Territory(ground.rows[where], np.searchsorted(where, own), terms, seen, room))
        found.append(where)
    swapped = per_block(swap, ground.vectors, territories, label="select: swaps")
    return np.sort(np.concatenate([where[chosen] for where, chosen in zip(found, swapped, strict=True)]))


def swap(vectors: Vectors, territory: Territory) -> NDArray[np.int64]:
    """Swap once in one territory; return what is picked then, by place in the territory."""
    points = rows_of(vectors, territory.rows)
    terms = territory.terms
    concepts = (terms.concept_start, terms.concepts, terms.worth, territory.seen.copy())
    picks = territory.picks.copy()
    swap_once(
        quantise(points @ points.T), picks, terms.bonus, *concepts, terms.cell, terms.image, territory.room.copy()
    )
    return picks
